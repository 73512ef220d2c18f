# SPDX-License-Identifier: BSD-2-Clause
# One program per module: check_PROGRAMS += tests/unit/test_MODULE and
# tests_unit_test_MODULE_SOURCES = tests/unit/test_MODULE.c tests/unit/unit.h
# LDADD and AM_CPPFLAGS are set for all of them in Makefile.am.

check_PROGRAMS += tests/unit/test_cbor
tests_unit_test_cbor_SOURCES = tests/unit/test_cbor.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_inform
tests_unit_test_inform_SOURCES = tests/unit/test_inform.c tests/unit/unit.h tests/unit/hex.h tests/unit/vectors_inform.h

check_PROGRAMS += tests/unit/test_link
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_option
tests_unit_test_option_SOURCES = tests/unit/test_option.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_props
tests_unit_test_props_SOURCES = tests/unit/test_props.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_descriptors
tests_unit_test_descriptors_SOURCES = tests/unit/test_descriptors.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_figures
tests_unit_test_figures_SOURCES = tests/unit/test_figures.c tests/unit/unit.h

# The message layer and what is below it.
unit_world = tests/unit/world.c tests/unit/world.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_layer tests/unit/test_exchange tests/unit/test_network \
	tests/unit/test_block tests/unit/test_peer tests/unit/test_dedup tests/unit/test_msg
tests_unit_test_layer_SOURCES = tests/unit/test_layer.c $(unit_world)
check_PROGRAMS += tests/unit/test_leisure
tests_unit_test_leisure_SOURCES = tests/unit/test_leisure.c $(unit_world)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(unit_world)
check_PROGRAMS += tests/unit/test_sessions
tests_unit_test_sessions_SOURCES = tests/unit/test_sessions.c $(unit_world)
tests_unit_test_network_SOURCES = tests/unit/test_network.c tests/unit/unit.h
tests_unit_test_block_SOURCES = tests/unit/test_block.c $(unit_world)
tests_unit_test_peer_SOURCES = tests/unit/test_peer.c tests/unit/unit.h
tests_unit_test_dedup_SOURCES = tests/unit/test_dedup.c tests/unit/unit.h
tests_unit_test_msg_SOURCES = tests/unit/test_msg.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_certificate tests/unit/test_hello
tests_unit_test_hello_SOURCES = tests/unit/test_hello.c tests/unit/hex.h tests/unit/unit.h
tests_unit_test_certificate_SOURCES = tests/unit/test_certificate.c tests/unit/hex.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_addr tests/unit/test_buf tests/unit/test_log \
	tests/unit/test_map tests/unit/test_mem tests/unit/test_wheel
tests_unit_test_addr_SOURCES = tests/unit/test_addr.c tests/unit/unit.h
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/unit.h
tests_unit_test_map_SOURCES = tests/unit/test_map.c tests/unit/unit.h
tests_unit_test_mem_SOURCES = tests/unit/test_mem.c tests/unit/unit.h
tests_unit_test_wheel_SOURCES = tests/unit/test_wheel.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_conf_bad
tests_unit_test_conf_bad_SOURCES = tests/unit/test_conf_bad.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_conf_files
tests_unit_test_conf_files_SOURCES = tests/unit/test_conf_files.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_conf_values
tests_unit_test_conf_values_SOURCES = tests/unit/test_conf_values.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_doctor
tests_unit_test_doctor_SOURCES = tests/unit/test_doctor.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_material
tests_unit_test_material_SOURCES = tests/unit/test_material.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_keycheck
tests_unit_test_keycheck_SOURCES = tests/unit/test_keycheck.c tests/unit/unit.h tests/unit/hex.h

# Prints the schema; not a test, but scripts/check-conf needs it.
EXTRA_PROGRAMS += tests/unit/conf_dump
tests_unit_conf_dump_SOURCES = tests/unit/conf_dump.c
dist_check_SCRIPTS += tests/unit/conf_docs.sh
tests/unit/conf_docs.log: tests/unit/conf_dump$(EXEEXT)
CLEANFILES += tests/unit/conf_dump$(EXEEXT)

# The client against a server played by the test, and the command line.
unit_watch = tests/unit/watch.c tests/unit/watch.h tests/unit/clientbed.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_client_observation tests/unit/test_client_group \
	tests/unit/test_client_offer tests/unit/test_client_transfer tests/unit/test_cli
tests_unit_test_client_observation_SOURCES = tests/unit/test_client_observation.c $(unit_watch)
tests_unit_test_client_group_SOURCES = tests/unit/test_client_group.c $(unit_watch)
tests_unit_test_client_offer_SOURCES = tests/unit/test_client_offer.c $(unit_watch)
tests_unit_test_client_transfer_SOURCES = tests/unit/test_client_transfer.c \
	tests/unit/clientbed.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_client_gather tests/unit/test_client_silence
tests_unit_test_client_silence_SOURCES = tests/unit/test_client_silence.c $(unit_watch)
tests_unit_test_client_gather_SOURCES = tests/unit/test_client_gather.c tests/unit/unit.h
tests_unit_test_cli_SOURCES = tests/unit/test_cli.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_protection
tests_unit_test_protection_SOURCES = tests/unit/test_protection.c tests/unit/unit.h

# The broker on a real message layer.
unit_broker = tests/unit/broker_world.c tests/unit/broker_world.h \
	tests/unit/broker_heard.c tests/unit/broker_shield.c tests/unit/broker_shield.h \
	tests/unit/unit.h tests/unit/hex.h
check_PROGRAMS += tests/unit/test_observe tests/unit/test_fanout tests/unit/test_group \
	tests/unit/test_multicast tests/unit/test_figure tests/unit/test_topic \
	tests/unit/test_router tests/unit/test_discover tests/unit/test_qualify \
	tests/unit/test_settings tests/unit/test_deadlines tests/unit/test_pubsub_examples \
	tests/unit/test_count tests/unit/test_unaware \
	tests/unit/test_introspect tests/unit/test_many tests/unit/test_omn
check_PROGRAMS += tests/unit/test_groupreq tests/unit/test_announce
tests_unit_test_announce_SOURCES = tests/unit/test_announce.c $(unit_broker)
check_PROGRAMS += tests/unit/test_clock
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c $(unit_broker)
check_PROGRAMS += tests/unit/test_reroute
tests_unit_test_reroute_SOURCES = tests/unit/test_reroute.c $(unit_broker)
check_PROGRAMS += tests/unit/test_regroup
tests_unit_test_regroup_SOURCES = tests/unit/test_regroup.c $(unit_broker)
check_PROGRAMS += tests/unit/test_restore
tests_unit_test_restore_SOURCES = tests/unit/test_restore.c $(unit_broker)
check_PROGRAMS += tests/unit/test_park
tests_unit_test_park_SOURCES = tests/unit/test_park.c $(unit_broker)
check_PROGRAMS += tests/unit/test_catchup
tests_unit_test_catchup_SOURCES = tests/unit/test_catchup.c $(unit_broker)
check_PROGRAMS += tests/unit/test_resume
tests_unit_test_resume_SOURCES = tests/unit/test_resume.c $(unit_broker)
check_PROGRAMS += tests/unit/test_groupreq tests/unit/test_shield
check_PROGRAMS += tests/unit/test_echo tests/unit/test_client_echo
tests_unit_test_client_echo_SOURCES = tests/unit/test_client_echo.c tests/unit/clientbed.h \
	tests/unit/unit.h
tests_unit_test_echo_SOURCES = tests/unit/test_echo.c $(unit_broker)
check_PROGRAMS += tests/unit/test_guard
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_permit tests/unit/test_access
tests_unit_test_permit_SOURCES = tests/unit/test_permit.c $(unit_broker)
tests_unit_test_access_SOURCES = tests/unit/test_access.c tests/unit/unit.h
tests_unit_test_shield_SOURCES = tests/unit/test_shield.c $(unit_broker)
tests_unit_test_groupreq_SOURCES = tests/unit/test_groupreq.c $(unit_broker)
tests_unit_test_observe_SOURCES = tests/unit/test_observe.c $(unit_broker)
tests_unit_test_fanout_SOURCES = tests/unit/test_fanout.c $(unit_broker)
tests_unit_test_group_SOURCES = tests/unit/test_group.c $(unit_broker)
tests_unit_test_multicast_SOURCES = tests/unit/test_multicast.c $(unit_broker)
tests_unit_test_figure_SOURCES = tests/unit/test_figure.c $(unit_broker)
tests_unit_test_qualify_SOURCES = tests/unit/test_qualify.c $(unit_broker)
tests_unit_test_topic_SOURCES = tests/unit/test_topic.c $(unit_broker)
tests_unit_test_router_SOURCES = tests/unit/test_router.c $(unit_broker)
tests_unit_test_discover_SOURCES = tests/unit/test_discover.c $(unit_broker)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c $(unit_broker)
tests_unit_test_deadlines_SOURCES = tests/unit/test_deadlines.c $(unit_broker)
tests_unit_test_pubsub_examples_SOURCES = tests/unit/test_pubsub_examples.c $(unit_broker)
tests_unit_test_count_SOURCES = tests/unit/test_count.c $(unit_broker)
tests_unit_test_unaware_SOURCES = tests/unit/test_unaware.c $(unit_broker)
tests_unit_test_introspect_SOURCES = tests/unit/test_introspect.c $(unit_broker)
tests_unit_test_many_SOURCES = tests/unit/test_many.c $(unit_broker)
tests_unit_test_omn_SOURCES = tests/unit/test_omn.c $(unit_broker)
check_PROGRAMS += tests/unit/test_seed tests/unit/test_pace
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c $(unit_broker)
tests_unit_test_seed_SOURCES = tests/unit/test_seed.c $(unit_broker)
# Object security.
unit_oscore = tests/unit/json_vectors.c tests/unit/json_vectors.h tests/unit/oscore_bed.h \
	tests/unit/unit.h
check_PROGRAMS += tests/unit/test_oscore_vectors
tests_unit_test_oscore_vectors_SOURCES = tests/unit/test_oscore_vectors.c $(unit_oscore)
check_PROGRAMS += tests/unit/test_client_groupget
tests_unit_test_client_groupget_SOURCES = tests/unit/test_client_groupget.c tests/unit/mutate.h \
	tests/unit/oscore_talk.h $(unit_oscore)
check_PROGRAMS += tests/unit/test_oscore_forgery
tests_unit_test_oscore_forgery_SOURCES = tests/unit/test_oscore_forgery.c \
	tests/unit/oscore_talk.h $(unit_oscore)
check_PROGRAMS += tests/unit/test_oscore_mutation
tests_unit_test_oscore_mutation_SOURCES = tests/unit/test_oscore_mutation.c tests/unit/mutate.h \
	tests/unit/oscore_talk.h $(unit_oscore)
check_PROGRAMS += tests/unit/test_oscore
tests_unit_test_oscore_SOURCES = tests/unit/test_oscore.c tests/unit/hex.h $(unit_oscore)
# Captures.
check_PROGRAMS += tests/unit/test_datagram
tests_unit_test_datagram_SOURCES = tests/unit/test_datagram.c tests/unit/hex.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_dissect
tests_unit_test_dissect_SOURCES = tests/unit/test_dissect.c tests/unit/dissect_bed.c \
	tests/unit/dissect_bed.h tests/unit/oscore_bed.h tests/unit/json_vectors.h \
	tests/unit/hex.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_revoke
tests_unit_test_revoke_SOURCES = tests/unit/test_revoke.c tests/unit/group_bed.c \
	tests/unit/group_bed.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_rekeyed
tests_unit_test_rekeyed_SOURCES = tests/unit/test_rekeyed.c tests/unit/group_bed.c \
	tests/unit/group_bed.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_groupkeys
tests_unit_test_groupkeys_SOURCES = tests/unit/test_groupkeys.c tests/unit/group_bed.c \
	tests/unit/group_bed.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_client_oscore tests/unit/test_client_secgroup tests/unit/test_ssnfile
unit_hall = tests/unit/client_hall.c tests/unit/client_hall.h tests/unit/client_oscore.h $(unit_watch)
tests_unit_test_client_secgroup_SOURCES = tests/unit/test_client_secgroup.c $(unit_hall)
check_PROGRAMS += tests/unit/test_client_mutation
tests_unit_test_client_mutation_SOURCES = tests/unit/test_client_mutation.c tests/unit/mutate.h \
	$(unit_hall)
tests_unit_test_client_oscore_SOURCES = tests/unit/test_client_oscore.c \
	tests/unit/client_oscore.h tests/unit/clientbed.h tests/unit/unit.h
tests_unit_test_ssnfile_SOURCES = tests/unit/test_ssnfile.c tests/unit/unit.h
check_PROGRAMS += tests/unit/test_groupmembers
tests_unit_test_groupmembers_SOURCES = tests/unit/test_groupmembers.c tests/unit/mutate.h tests/unit/group_bed.c \
	tests/unit/group_bed.h tests/unit/unit.h
