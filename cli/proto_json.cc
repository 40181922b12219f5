// SPDX-License-Identifier: Apache-2.0
#include "cli/proto_json.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>

#include "base/check.h"

namespace cordon::cli {
namespace {

constexpr char kTypePrefix[] = "type.cordon";

google::protobuf::util::TypeResolver& Resolver() {
  static google::protobuf::util::TypeResolver* const resolver =
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypePrefix, google::protobuf::DescriptorPool::generated_pool());
  return *resolver;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream coded(&sink);
    coded.SetSerializationDeterministic(true);
    CORDON_CHECK(message.SerializeToCodedStream(&coded), "memory takes any message");
  }
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      &Resolver(), std::string(kTypePrefix) + "/" + message.GetDescriptor()->full_name(), bytes,
      &json, options);
  CORDON_CHECK(status.ok(), status.ToString());
  return json;
}

}  // namespace cordon::cli
