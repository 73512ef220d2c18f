# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/oscore/binding.c src/oscore/binding.h \
	src/oscore/context.c src/oscore/context.h \
	src/oscore/context_impl.h \
	src/oscore/context_table.c src/oscore/context_table.h \
	src/oscore/cred.c src/oscore/cred.h \
	src/oscore/crypto.c src/oscore/crypto.h \
	src/oscore/crypto_impl.h \
	src/oscore/crypto_key.c src/oscore/crypto_key.h \
	src/oscore/derive.c src/oscore/derive.h \
	src/oscore/frame.c src/oscore/frame.h \
	src/oscore/mac.c src/oscore/mac.h \
	src/oscore/option.c src/oscore/option.h \
	src/oscore/protect.c src/oscore/protect.h \
	src/oscore/ssn.c src/oscore/ssn.h \
	src/oscore/suite.c src/oscore/suite.h \
	src/oscore/unprotect.c src/oscore/unprotect.h \
	src/oscore/window.c src/oscore/window.h
