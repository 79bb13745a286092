# SPDX-License-Identifier: LGPL-2.1-or-later
# The documents against what stands.

CHECK_SUITES += check-docs

.PHONY: check-docs
check-docs: all
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/docs/check.py $(B)
