# SPDX-License-Identifier: Apache-2.0
# The RTSP and ONVIF client of ingest/: a target of its own, so that its tests and fuzzers link without the decoder.
find_package(OpenSSL REQUIRED)
pkg_check_modules(CORDON_AVCODEC REQUIRED IMPORTED_TARGET libavcodec libavutil)

pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
find_package(pugixml REQUIRED)

cordon_module(ingest_rtsp
  SOURCES
    onvif_client.cc
    onvif_events.cc
    onvif_http.cc
    onvif_metadata.cc
    onvif_soap.cc
    onvif_triggers.cc
    onvif_xml.cc
    rtp_access_unit.cc
    rtp_depacketizer.cc
    rtp_packet.cc
    rtp_parameter_sets.cc
    rtp_sequencer.cc
    rtp_timeline.cc
    rtsp_auth.cc
    rtsp_connection.cc
    rtsp_message.cc
    rtsp_metrics.cc
    rtsp_net.cc
    rtsp_probe.cc
    rtsp_reporter.cc
    rtsp_resolve.cc
    rtsp_source.cc
    rtsp_tunnel.cc
    rtsp_udp.cc
    rtsp_url.cc
    sdp.cc
    tls_stream.cc
    ws_discovery.cc
  PUBLIC cordon::base cordon::proto PkgConfig::CORDON_AVCODEC pugixml::pugixml
  PRIVATE OpenSSL::SSL PkgConfig::CURL anl)
