# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += src/LAYERS

sbin_PROGRAMS += coapcastd
coapcastd_SOURCES = src/coapcastd.c
coapcastd_LDADD = $(coapcast_libs)

bin_PROGRAMS += coapcast
coapcast_SOURCES = src/coapcast.c
# Captures are read by the client alone.
coapcast_LDADD = $(coapcast_libs) $(PCAP_LIBS)
