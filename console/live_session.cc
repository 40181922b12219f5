// SPDX-License-Identifier: Apache-2.0
#include "console/live_session.h"

#include <deque>

#include "base/log.h"
#include "console/json_view.h"
#include "console/on_worker.h"
#include "dispatch/position_parser.h"

namespace cordon::console {
namespace {

namespace net = boost::asio;

// A viewer who loses pictures so often is better off with something smaller.
constexpr size_t kTooOften = 3;
constexpr Seconds kSlowSpan{30};
constexpr size_t kMaxActor = 64;
// Half a second of a usual stream.
constexpr int kUnsentBytes = 256 * 1024;

// A view and how it went; records its end when it goes.
class Watched {
 public:
  Watched(Shared& shared, LiveRequest what, std::unique_ptr<LiveView> view)
      : shared_(shared), what_(std::move(what)), view_(std::move(view)) {}
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    const auto close = [view = view_, sent = bytes, why = cause] { view->Close(sent, why); };
    switch (shared_.work.Push(close)) {
      case PushResult::kPushed:
        break;
      case PushResult::kClosed:  // the server ends, nobody is kept waiting
        close();
        break;
      case PushResult::kFull:
        log::Error("the end of a view could not be recorded",
                   {{"camera", what_.camera}, {"actor", what_.actor}, {"why", cause}});
        break;
    }
  }
  LiveView& view() { return *view_; }

  uint64_t bytes = 0;
  std::string cause = "the console ended";

 private:
  Shared& shared_;
  const LiveRequest what_;
  const std::shared_ptr<LiveView> view_;
};

// Whether pictures are left out too often.
class Slowness {
 public:
  bool TooSlow(uint64_t skipped, BootTime now) {
    if (skipped > skipped_) times_.push_back(now);
    skipped_ = skipped;
    while (!times_.empty() && now - times_.front() > kSlowSpan) times_.pop_front();
    return times_.size() >= kTooOften;
  }

 private:
  uint64_t skipped_ = 0;
  std::deque<BootTime> times_;
};

std::string StartText(const proto::LiveStart& start) {
  return Dump({{"type", "start"}, {"mime", start.mime()}, {"why_pictures", start.why_pictures()}});
}

void AppendBigEndian(std::string& out, uint64_t value) {
  const uint32_t bounded = static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(bounded >> shift & 0xFF);
}

// Picture's age in ms and pictures left out so far, each 32 bits big endian, then the data.
std::string DataMessage(const proto::LiveData& data) {
  std::string message;
  message.reserve(data.data().size() + 8);
  AppendBigEndian(message, static_cast<uint64_t>(std::max<int64_t>(data.picture_age_ms(), 0)));
  AppendBigEndian(message, data.skipped());
  message += data.data();
  return message;
}

net::awaitable<void> SendAll(WebSocketClient& client, Watched& watched, Shared& shared) {
  Slowness slowness;
  watched.cause = "the viewer left";
  while (!client.gone()) {
    const absl::StatusOr<std::optional<proto::LiveToViewer>> next = watched.view().Next();
    if (!next.ok()) {
      watched.cause = std::string(MessageOf(next.status()));
      co_await client.Close(kCloseOver, watched.cause);
      co_return;
    }
    if (!*next) {
      co_await client.Sleep();
      continue;
    }
    const proto::LiveToViewer& piece = **next;
    const bool text = piece.has_start();
    const std::string message = text ? StartText(piece.start()) : DataMessage(piece.data());
    if (!co_await client.Write(message, text)) co_return;
    watched.bytes += piece.data().data().size();
    if (!slowness.TooSlow(piece.data().skipped(), shared.clock.Boot())) continue;
    shared.slow_viewers_total.Increment();
    watched.cause = "the viewer was too slow";
    co_await client.Close(kCloseTooSlow, watched.cause);
    co_return;
  }
}

}  // namespace

std::optional<LiveRequest> LiveRequestOf(std::string_view target) {
  constexpr std::string_view kBegin = "/api/cameras/";
  constexpr std::string_view kEnd = "/live";
  const size_t mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  if (!path.starts_with(kBegin) || !path.ends_with(kEnd)) return std::nullopt;
  path.remove_prefix(kBegin.size());
  if (path.size() <= kEnd.size()) return std::nullopt;
  path.remove_suffix(kEnd.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  const auto query = ParseQuery(mark < target.size() ? target.substr(mark + 1) : "");
  if (!query.ok()) return std::nullopt;
  LiveRequest request;
  request.camera = std::string(path);
  const auto pictures = query->find("pictures");
  request.pictures_only = pictures != query->end() && pictures->second == "1";
  const auto actor = query->find("actor");
  const bool named = actor != query->end() && !actor->second.empty();
  request.actor = "operator:" + (named ? actor->second.substr(0, kMaxActor) : "unnamed");
  return request;
}

net::awaitable<void> ServeLive(boost::beast::tcp_stream stream, UpgradeRequest request,
                               LiveRequest what, Shared& shared) {
  const auto client = std::make_shared<WebSocketClient>(std::move(stream));
  if (!co_await client->Accept(std::move(request))) co_return;
  client->LimitUnsent(kUnsentBytes);
  using Opened = absl::StatusOr<std::unique_ptr<LiveView>>;
  const std::function<Opened()> open = [&shared, what, wake = client->Waker(shared.io)] {
    return shared.open_live(what, wake);
  };
  const std::shared_ptr<Opened> opened = co_await OnWorker<Opened>(shared, open);
  if (opened == nullptr || !opened->ok()) {
    const std::string why = opened == nullptr ? "too many requests wait; try again"
                                              : std::string(MessageOf(opened->status()));
    co_await client->Close(kCloseOver, why);
    co_return;
  }
  Watched watched(shared, what, std::move(**opened));
  co_await SendAll(*client, watched, shared);
  client->Drop();
}

}  // namespace cordon::console
