# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += man/coapcastd.8 man/coapcast.1 man/coapcast.7 man/coapcast.yaml.5
