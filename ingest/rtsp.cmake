# SPDX-License-Identifier: Apache-2.0
# The RTSP and ONVIF client of ingest/: a target of its own, so that its tests and fuzzers link without the decoder.
find_package(OpenSSL REQUIRED)
pkg_check_modules(CORDON_AVCODEC REQUIRED IMPORTED_TARGET libavcodec libavutil)

cordon_module(ingest_rtsp
  SOURCES
    rtp_access_unit.cc
    rtp_depacketizer.cc
    rtp_packet.cc
    rtp_sequencer.cc
    rtp_timeline.cc
    rtsp_auth.cc
    rtsp_connection.cc
    rtsp_message.cc
    rtsp_net.cc
    rtsp_reporter.cc
    rtsp_resolve.cc
    rtsp_source.cc
    rtsp_tunnel.cc
    rtsp_udp.cc
    rtsp_url.cc
    sdp.cc
    tls_stream.cc
  PUBLIC cordon::base cordon::proto PkgConfig::CORDON_AVCODEC
  PRIVATE OpenSSL::SSL anl)
