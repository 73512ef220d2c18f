# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/cli/args.c src/cli/args.h \
	src/cli/bundle.c src/cli/bundle.h \
	src/cli/cli.c src/cli/cli.h \
	src/cli/credentials.c src/cli/credentials.h \
	src/cli/connection.c src/cli/connection.h \
	src/cli/exec.c src/cli/exec.h \
	src/cli/collect.c src/cli/collect.h \
	src/cli/datagram.c src/cli/datagram.h \
	src/cli/decode.c src/cli/decode.h \
	src/cli/describe.c src/cli/describe.h \
	src/cli/diag.c src/cli/diag.h \
	src/cli/diagnosis.c src/cli/diagnosis.h \
	src/cli/dissect.c src/cli/dissect.h \
	src/cli/discover.c src/cli/discover.h \
	src/cli/doctor.c src/cli/doctor.h src/cli/doctor_broker.c \
	src/cli/finding.c src/cli/finding.h \
	src/cli/firewall.c src/cli/firewall.h \
	src/cli/hostfacts.c src/cli/hostfacts.h \
	src/cli/looptest.c src/cli/looptest.h \
	src/cli/getgroup.c src/cli/getgroup.h \
	src/cli/get.c src/cli/get.h \
	src/cli/json.c src/cli/json.h \
	src/cli/keyargs.c src/cli/keyargs.h \
	src/cli/keygen.c src/cli/keygen.h src/cli/keygen_group.c \
	src/cli/groupkey.c src/cli/groupkey.h \
	src/cli/keyring.c src/cli/keyring.h \
	src/cli/keys.c src/cli/keys.h \
	src/cli/locate.c src/cli/locate.h \
	src/cli/ls.c src/cli/ls.h \
	src/cli/progress.c src/cli/progress.h \
	src/cli/probe.c src/cli/probe.h \
	src/cli/protection.c src/cli/protection.h \
	src/cli/pieces.c src/cli/pieces.h \
	src/cli/pub.c src/cli/pub.h \
	src/cli/ssnfile.c src/cli/ssnfile.h \
	src/cli/status.c src/cli/status.h \
	src/cli/sub.c src/cli/sub.h src/cli/subscription.c src/cli/subscription.h \
	src/cli/survey.c src/cli/survey.h \
	src/cli/telling.c src/cli/telling.h src/cli/telling_json.c \
	src/cli/text.c src/cli/text.h \
	src/cli/topics.c src/cli/topics.h \
	src/cli/uri.c src/cli/uri.h
