# SPDX-License-Identifier: LGPL-2.1-or-later
# OVF: there and back, hostile envelopes; and those that others wrote.

.PHONY: check-ovf check-ovf-corpus
CHECK_SUITES += check-ovf
CI_SUITES += check-ovf-corpus

check-ovf: all
	tests/ovf/run $(B)

check-ovf-corpus: all
	tests/ovf/corpus $(B)
