// Exactly-once delivery: tests which records the cursor emits, which it skips, and when it reports
// a changed list.
#include "service/upstream/replay_cursor.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = ReplayCursor::Action;

// The events of a list, in order.
struct Page {
  std::string page;
};
struct Refetch {};
struct Restart {};
struct Records {
  std::vector<uint64_t> identities;
};
using Event = std::variant<Page, Refetch, Restart, Records>;

// Applies the events to a cursor. Returns the emitted records, with 0 as the last one after
// kListChanged.
std::vector<uint64_t> Play(ReplayCursor& cursor, const std::vector<Event>& events) {
  std::vector<uint64_t> emitted;
  for (const Event& event : events) {
    if (const auto* page = std::get_if<Page>(&event)) {
      EXPECT_TRUE(cursor.BeginPage(page->page));
    } else if (std::holds_alternative<Refetch>(event)) {
      cursor.RefetchPage();
    } else if (std::holds_alternative<Restart>(event)) {
      EXPECT_TRUE(cursor.CanRestart());
      cursor.RestartList();
    } else {
      for (const uint64_t identity : std::get<Records>(event).identities) {
        const Action action = cursor.OnRecord(identity);
        if (action == Action::kEmit) emitted.push_back(identity);
        if (action == Action::kListChanged) {
          emitted.push_back(0);
          return emitted;
        }
      }
    }
  }
  return emitted;
}

ListPosition After(std::string page, uint64_t record, uint32_t occurrence = 1,
                   uint64_t ordinal = 0) {
  return {std::move(page), {record, occurrence}, ordinal};
}

struct Case {
  std::string name;
  std::optional<ListPosition> resume_after;
  std::vector<Event> events;
  std::vector<uint64_t> emitted;  // as returned by Play()
  int64_t duplicates = 0;
};

std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }

class ReplayCursorTest : public ::testing::TestWithParam<Case> {};

TEST_P(ReplayCursorTest, EmitsOnlyNewRecords) {
  const Case& test = GetParam();
  ReplayCursor cursor(true, test.resume_after);
  EXPECT_EQ(Play(cursor, test.events), test.emitted);
  EXPECT_EQ(cursor.duplicates(), test.duplicates);
}

const Case kCases[] = {
    {"EmitsAllRecordsInOrder",
     {},
     {Page{"a"}, Records{{3, 1, 2}}, Page{"b"}, Records{{5, 4}}},
     {3, 1, 2, 5, 4}},
    {"EmitsASidThatAPageListsTwice", {}, {Page{"a"}, Records{{1, 1, 2}}}, {1, 1, 2}},
    {"EmitsASidThatTwoPagesList",
     {},
     {Page{"a"}, Records{{1, 2}}, Page{"b"}, Records{{2, 3}}},
     {1, 2, 2, 3}},

    {"SkipsRecordsOfARefetchedPage",
     {},
     {Page{"a"}, Records{{1, 2}}, Refetch{}, Records{{1, 2, 3}}},
     {1, 2, 3},
     2},
    {"SkipsReorderedRecordsOfARefetchedPage",
     {},
     {Page{"a"}, Records{{1, 2}}, Refetch{}, Records{{4, 2, 3, 1}}},
     {1, 2, 4, 3},
     2},
    {"EmitsEachOccurrenceOnceWhenRefetched",
     {},
     {Page{"a"}, Records{{1, 1}}, Refetch{}, Records{{1, 1, 1}}},
     {1, 1, 1},
     2},
    {"SkipsRecordsSeenInAnyEarlierFetch",
     {},
     {Page{"a"}, Records{{1, 2, 3}}, Refetch{}, Records{{1}}, Refetch{}, Records{{1, 2, 3, 4}}},
     {1, 2, 3, 4},
     4},
    {"SkipsRecordsThatOnlyOneEarlierFetchHad",
     {},
     {Page{"a"}, Records{{1}}, Refetch{}, Records{{2}}, Refetch{}, Records{{1, 2, 3}}},
     {1, 2, 3},
     2},
    {"EmitsRecordsOfARefetchedUnreadPage", {}, {Page{"a"}, Refetch{}, Records{{1}}}, {1}},
    {"EmitsRecordsOfAnEarlierPageAgain",
     {},
     {Page{"a"}, Records{{1, 2}}, Refetch{}, Records{{1}}, Page{"b"}, Records{{2}}},
     {1, 2, 2},
     1},

    {"ResumesAfterTheRecordOfTheToken", After("a", 2), {Page{"a"}, Records{{1, 2, 3}}}, {3}},
    {"ResumesAfterTheRightOccurrence", After("a", 1, 2), {Page{"a"}, Records{{1, 2, 1, 3}}}, {3}},
    {"ResumesAfterTheFirstOccurrence", After("a", 1, 1), {Page{"a"}, Records{{1, 2, 1}}}, {2, 1}},
    {"ResumesOnceOnly",
     After("a", 1),
     {Page{"a"}, Records{{1, 2}}, Page{"b"}, Records{{1}}},
     {2, 1}},
    {"ResumesWhenPageIsRefetchedBeforeTheRecord",
     After("a", 2),
     {Page{"a"}, Records{{1}}, Refetch{}, Records{{1, 2, 3}}},
     {3},
     1},
    {"ResumesWhenPageIsRefetchedAfterTheRecord",
     After("a", 2),
     {Page{"a"}, Records{{1, 2}}, Refetch{}, Records{{1, 2, 3}}},
     {3},
     2},
    {"RestartsCountOfOccurrencesWhenRefetchedWhileResuming",
     After("a", 1, 2),
     {Page{"a"}, Records{{1}}, Refetch{}, Records{{1, 1, 2}}},
     {2},
     1},

    // A token names one record, so resuming relies on the order of the records before it.
    {"EmitsRecordsThatMovedAfterTheRecordOfTheToken",
     After("a", 3),
     {Page{"a"}, Records{{3, 2, 1, 4}}},
     {2, 1, 4}},
    {"SkipsRecordsThatMovedBeforeTheRecordOfTheToken",
     After("a", 2),
     {Page{"a"}, Records{{3, 1, 2, 4}}},
     {4}},

    {"RestartsAfterTheLastEmittedRecord",
     {},
     {Page{"a"}, Records{{1, 2}}, Page{"b"}, Records{{3}}, Restart{}, Page{"a"}, Records{{1, 2}},
      Page{"b2"}, Records{{3, 4}}},
     {1, 2, 3, 4},
     3},
    {"RestartsWhenNothingWasEmitted", {}, {Page{"a"}, Restart{}, Page{"a"}, Records{{1}}}, {1}},
    {"ReportsAChangedListAfterARestart",
     {},
     {Page{"a"}, Records{{1, 2}}, Restart{}, Page{"a"}, Records{{1, 3, 2}}},
     {1, 2, 0},
     2},
    {"RestartComparesOnlyTheLastEmittedRecord",
     {},
     {Page{"a"}, Records{{1, 2}}, Restart{}, Page{"a"}, Records{{9, 2, 3}}},
     {1, 2, 3},
     2},
    {"SkipsOnceWhenAPageOfARestartedListIsRefetched",
     {},
     {Page{"a"}, Records{{1, 2, 3}}, Restart{}, Page{"a"}, Records{{1, 2}}, Refetch{},
      Records{{1, 2, 3, 4}}},
     {1, 2, 3, 4},
     5},
    {"RestartsAgainAfterANewRecord",
     {},
     {Page{"a"}, Records{{1}}, Restart{}, Page{"a"}, Records{{1, 2}}, Restart{}, Page{"a"},
      Records{{1, 2, 3}}},
     {1, 2, 3},
     3},
    {"RestartsAResumedList",
     After("b", 3, 1, 3),
     {Page{"b"}, Records{{3, 4}}, Restart{}, Page{"a"}, Records{{1, 2}}, Page{"b2"},
      Records{{3, 4, 5}}},
     {4, 5},
     4},
    {"RestartsWhenThePageOfTheTokenHasExpired",
     After("b", 3, 1, 3),
     {Page{"b"}, Restart{}, Page{"a"}, Records{{1, 2}}, Page{"b2"}, Records{{3, 4}}},
     {4},
     3},
};

INSTANTIATE_TEST_SUITE_P(, ReplayCursorTest, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(ReplayCursor, PositionIsThatOfTheLastEmittedRecord) {
  ReplayCursor cursor(true, {});
  Play(cursor, {Page{"a"}, Records{{7, 8, 7}}});
  EXPECT_EQ(cursor.position().page, "a");
  EXPECT_EQ(cursor.position().record.identity, 7U);
  EXPECT_EQ(cursor.position().record.occurrence, 2U);
  EXPECT_EQ(cursor.position().ordinal, 3U);

  // A skipped record does not change the position.
  Play(cursor, {Refetch{}, Records{{8}}});
  EXPECT_EQ(cursor.position().record.identity, 7U);
  EXPECT_EQ(cursor.position().ordinal, 3U);

  // On a refetched page, occurrences are counted in the new order.
  Play(cursor, {Records{{9, 7, 7, 7}}});
  EXPECT_EQ(cursor.position().record.identity, 7U);
  EXPECT_EQ(cursor.position().record.occurrence, 3U);
  EXPECT_EQ(cursor.position().ordinal, 5U);
}

TEST(ReplayCursor, EveryPositionResumesAtTheNextRecord) {
  const std::vector<uint64_t> records = {1, 2, 1, 1, 3, 2};
  ReplayCursor first(true, {});
  ASSERT_TRUE(first.BeginPage("a"));
  for (size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(first.OnRecord(records[i]), Action::kEmit);
    ReplayCursor second(true, first.position());
    EXPECT_EQ(Play(second, {Page{"a"}, Records{records}}),
              std::vector<uint64_t>(records.begin() + static_cast<ptrdiff_t>(i) + 1, records.end()))
        << i;
    EXPECT_TRUE(second.IsConsistentAtPageEnd(true));
  }
}

TEST(ReplayCursor, ContinuesTheOrdinalAfterAResume) {
  ReplayCursor cursor(true, After("b", 3, 1, 30));
  EXPECT_EQ(cursor.position().ordinal, 30U);
  Play(cursor, {Page{"b"}, Records{{3, 4}}});
  EXPECT_EQ(cursor.position().ordinal, 31U);
}

TEST(ReplayCursor, CannotRestartWithoutFirstPageAndOrdinal) {
  ReplayCursor not_the_first_page(false, {});
  Play(not_the_first_page, {Page{"x"}, Records{{1}}});
  EXPECT_EQ(not_the_first_page.position().ordinal, 0U);
  EXPECT_FALSE(not_the_first_page.CanRestart());

  ReplayCursor unknown_ordinal(true, After("x", 1));
  Play(unknown_ordinal, {Page{"x"}, Records{{1, 2}}});
  EXPECT_EQ(unknown_ordinal.position().ordinal, 0U);
  EXPECT_FALSE(unknown_ordinal.CanRestart());

  ReplayCursor unknown_first_page(false, After("x", 1, 1, 5));
  Play(unknown_first_page, {Page{"x"}, Records{{1, 2}}});
  EXPECT_EQ(unknown_first_page.position().ordinal, 5U);
  EXPECT_FALSE(unknown_first_page.CanRestart());
}

TEST(ReplayCursor, IsInconsistentIfThePageLacksTheRecordToResumeAfter) {
  ReplayCursor cursor(true, After("a", 2));
  EXPECT_THAT(Play(cursor, {Page{"a"}, Records{{1, 3}}}), IsEmpty());
  EXPECT_FALSE(cursor.IsConsistentAtPageEnd(false));
  EXPECT_FALSE(cursor.IsConsistentAtPageEnd(true));
  Play(cursor, {Records{{2}}});
  EXPECT_TRUE(cursor.IsConsistentAtPageEnd(false));
}

TEST(ReplayCursor, IsInconsistentIfTheListEndsBeforeAllRecordsAreSkipped) {
  ReplayCursor cursor(true, {});
  Play(cursor, {Page{"a"}, Records{{1, 2}}, Restart{}, Page{"a"}, Records{{1}}});
  EXPECT_TRUE(cursor.IsConsistentAtPageEnd(false));
  EXPECT_FALSE(cursor.IsConsistentAtPageEnd(true));
  Play(cursor, {Page{"b"}, Records{{2}}});
  EXPECT_TRUE(cursor.IsConsistentAtPageEnd(true));
}

TEST(ReplayCursor, DoesNotRestartTwiceWithoutANewRecord) {
  ReplayCursor cursor(true, {});
  Play(cursor, {Page{"a"}, Records{{1}}, Restart{}, Page{"a"}, Records{{1}}});
  EXPECT_FALSE(cursor.CanRestart());
  Play(cursor, {Records{{2}}});
  EXPECT_TRUE(cursor.CanRestart());
}

TEST(ReplayCursor, RestartsAtMostTenTimes) {
  ReplayCursor cursor(true, {});
  std::vector<uint64_t> records;
  for (uint64_t i = 1; i <= 10; ++i) {
    records.push_back(i);
    EXPECT_THAT(Play(cursor, {Page{"a"}, Records{records}}), ElementsAre(i));
    EXPECT_EQ(cursor.restarts(), static_cast<int>(i) - 1);
    Play(cursor, {Restart{}});
  }
  records.push_back(11);
  EXPECT_THAT(Play(cursor, {Page{"a"}, Records{records}}), ElementsAre(11U));
  EXPECT_FALSE(cursor.CanRestart());
}

TEST(ReplayCursor, RejectsAPageThatWasRead) {
  ReplayCursor cursor(true, {});
  Play(cursor, {Page{"a"}, Records{{1}}, Page{"b"}, Records{{2}}});
  EXPECT_EQ(cursor.pages(), 2);
  EXPECT_TRUE(cursor.WasRead("a"));
  EXPECT_FALSE(cursor.WasRead("c"));
  EXPECT_FALSE(cursor.BeginPage("a"));
  EXPECT_EQ(cursor.pages(), 2);
  EXPECT_EQ(cursor.position().page, "b");

  // After a restart, the same pages are valid again.
  cursor.RestartList();
  EXPECT_EQ(cursor.pages(), 0);
  EXPECT_FALSE(cursor.WasRead("a"));
  EXPECT_TRUE(cursor.BeginPage("a"));
}

TEST(ReplayCursor, CountsTheRecordsOfAPageOnce) {
  ReplayCursor cursor(true, {});
  Play(cursor, {Page{"a"}, Records{{1, 1, 2}}});
  EXPECT_EQ(cursor.records_on_page(), 3);
  Play(cursor, {Refetch{}});
  EXPECT_EQ(cursor.records_on_page(), 3);
  Play(cursor, {Records{{2, 4}}});
  EXPECT_EQ(cursor.records_on_page(), 4);
  Play(cursor, {Page{"b"}});
  EXPECT_EQ(cursor.records_on_page(), 0);
}

}  // namespace
}  // namespace rollcall::service
