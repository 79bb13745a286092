# SPDX-License-Identifier: LGPL-2.1-or-later
# The plug protocol as a model, searched to the end by spin.

CI_SUITES += check-model

.PHONY: check-model
check-model:
	tests/model/run
