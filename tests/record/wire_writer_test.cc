#include "service/record/wire_writer.h"

#include <cstdint>
#include <limits>
#include <string>

#include "google/protobuf/empty.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"

namespace rollcall::service {
namespace {

TEST(WireWriterTest, WritesNumbersAsProtobufDoes) {
  for (const int64_t number :
       {int64_t{0}, int64_t{1}, int64_t{127}, int64_t{128}, int64_t{-1},
        std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    WireWriter writer;
    writer.WriteVarint(VarintTag(1), number);
    google::protobuf::Int64Value read;
    ASSERT_TRUE(read.ParseFromString(std::string(writer.bytes())));
    EXPECT_EQ(read.value(), number);
    if (number != 0) {
      EXPECT_EQ(read.SerializeAsString(), writer.bytes());
    }
  }
  for (const double number : {0.0, -2.5, std::numeric_limits<double>::denorm_min()}) {
    WireWriter writer;
    writer.WriteDouble(Fixed64Tag(1), number);
    google::protobuf::DoubleValue read;
    ASSERT_TRUE(read.ParseFromString(std::string(writer.bytes())));
    EXPECT_EQ(read.value(), number);
  }
}

TEST(WireWriterTest, WritesTagsOfSeveralBytes) {
  for (const int number : {1, 15, 16, 2047, 2048, (1 << 29) - 1}) {
    WireWriter writer;
    writer.WriteBytes(LengthDelimitedTag(number), "abc");
    google::protobuf::Empty read;
    ASSERT_TRUE(read.ParseFromString(std::string(writer.bytes())));
    const auto& fields = read.GetReflection()->GetUnknownFields(read);
    ASSERT_EQ(fields.field_count(), 1);
    EXPECT_EQ(fields.field(0).number(), number);
    EXPECT_EQ(fields.field(0).length_delimited(), "abc");
  }
}

// A string inside a list's only value: all three lengths are known only at Close().
TEST(WireWriterTest, LengthsTakeAsFewBytesAsPossible) {
  WireWriter writer;
  for (const size_t size : {0, 1, 100, 127, 128, 129, 16383, 16384, 16385, 2097151, 2097152}) {
    const std::string text(size, 'x');
    writer.Truncate(0);
    const size_t value =
        writer.Open(LengthDelimitedTag(google::protobuf::ListValue::kValuesFieldNumber));
    const size_t string =
        writer.Open(LengthDelimitedTag(google::protobuf::Value::kStringValueFieldNumber));
    for (size_t half : {size / 2, size - size / 2}) writer.Append(text.substr(0, half));
    writer.Close(string);
    writer.Close(value);
    google::protobuf::ListValue expected;
    expected.add_values()->set_string_value(text);
    EXPECT_TRUE(writer.bytes() == expected.SerializeAsString()) << size;

    WireWriter whole;
    whole.WriteBytes(LengthDelimitedTag(google::protobuf::ListValue::kValuesFieldNumber),
                     expected.values(0).SerializeAsString());
    EXPECT_TRUE(writer.bytes() == whole.bytes()) << size;
  }
}

TEST(WireWriterTest, ReleaseReturnsTheBytesAndEmptiesTheWriter) {
  WireWriter writer;
  EXPECT_EQ(writer.Release(), "");
  for (const size_t size : {1, 5000}) {
    writer.WriteBytes(LengthDelimitedTag(1), std::string(size, 'x'));
    const std::string before(writer.bytes());
    EXPECT_EQ(writer.Release(), before);
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(writer.Release(), "");
  }
}

TEST(WireWriterTest, TruncateRemovesBytesCompletely) {
  WireWriter writer;
  EXPECT_TRUE(writer.empty());
  EXPECT_EQ(writer.bytes(), "");
  writer.WriteVarint(VarintTag(1), 7);
  const std::string before(writer.bytes());
  const size_t size = writer.size();
  writer.Open(LengthDelimitedTag(2));
  writer.WriteBytes(LengthDelimitedTag(1), std::string(5000, 'x'));
  writer.Truncate(size);
  EXPECT_EQ(writer.bytes(), before);
  writer.WriteVarint(VarintTag(1), 7);
  EXPECT_EQ(writer.bytes(), before + before);
}

}  // namespace
}  // namespace rollcall::service
