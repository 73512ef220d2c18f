# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/oscore/binding.h \
	src/oscore/context.h \
	src/oscore/cred.h \
	src/oscore/crypto.h \
	src/oscore/mac.h \
	src/oscore/option.h \
	src/oscore/protect.h \
	src/oscore/ssn.h \
	src/oscore/suite.h \
	src/oscore/unprotect.h \
	src/oscore/window.h
