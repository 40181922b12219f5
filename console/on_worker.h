// SPDX-License-Identifier: Apache-2.0
// Work that may wait, away from the "console" thread. Included by the server's own .cc files only.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>

#include "console/session.h"

namespace cordon::console {

// Runs `work` on a worker and comes back to "console" with its result; null at once when too much
// waits, which is counted.
template <class Result>
boost::asio::awaitable<std::shared_ptr<Result>> OnWorker(Shared& shared,
                                                         std::function<Result()> work) {
  using Answer = std::shared_ptr<Result>;
  namespace net = boost::asio;
  co_return co_await net::async_initiate<const net::use_awaitable_t<>, void(Answer)>(
      [&shared](auto handler, std::function<Result()>&& asked) {
        auto done = std::make_shared<decltype(handler)>(std::move(handler));
        std::function<void()> task = [&shared, done, asked = std::move(asked)] {
          auto answer = std::make_shared<Result>(asked());
          net::post(shared.io, [done, answer] { (*done)(answer); });
        };
        if (shared.work.Push(std::move(task)) == PushResult::kPushed) return;
        shared.refused_total.Increment();
        net::post(shared.io, [done] { (*done)(nullptr); });
      },
      net::use_awaitable, std::move(work));
}

}  // namespace cordon::console
