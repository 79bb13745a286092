# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases, a file for each family."""
