// SPDX-License-Identifier: MIT
// Which Asio: the standalone library or Boost's, from one source.
//
// FUSEBOX_ASIO_BOOST, 0 or 1, decides. Where it is not defined: the one that was included before,
// else standalone Asio if it is found, else Boost.Asio. One translation unit uses one of them;
// those of one program need not agree.
//
// needs: asio
#pragma once

#if !defined(FUSEBOX_ASIO_BOOST)
#if defined(ASIO_VERSION)
#define FUSEBOX_ASIO_BOOST 0
#elif defined(BOOST_ASIO_VERSION)
#define FUSEBOX_ASIO_BOOST 1
#elif __has_include(<asio/version.hpp>)
#define FUSEBOX_ASIO_BOOST 0
#elif __has_include(<boost/asio/version.hpp>)
#define FUSEBOX_ASIO_BOOST 1
#else
#error "fusebox/adapters/asio.hpp needs standalone Asio 1.22 or Boost.Asio 1.81, or newer"
#endif
#endif

#if FUSEBOX_ASIO_BOOST
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#else
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution/executor.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <asio/system_context.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#endif

// The namespaces differ, so that two translation units with different answers are two sets of
// functions and not one that is defined twice.
#if FUSEBOX_ASIO_BOOST
#define FUSEBOX_ASIO_NAMESPACE boost::asio
#define FUSEBOX_ASIO_FLAVOUR boost_asio
#else
#define FUSEBOX_ASIO_NAMESPACE asio
#define FUSEBOX_ASIO_FLAVOUR standalone_asio
#endif

// Coroutines, as far as that Asio knows the compiler's: 1.22 does not know those of clang 14.
#if defined(ASIO_HAS_CO_AWAIT) || defined(BOOST_ASIO_HAS_CO_AWAIT)
#define FUSEBOX_ASIO_HAS_AWAITABLE 1
#else
#define FUSEBOX_ASIO_HAS_AWAITABLE 0
#endif

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

namespace net = ::FUSEBOX_ASIO_NAMESPACE;

#if FUSEBOX_ASIO_BOOST
using ErrorCode = ::boost::system::error_code;
using SystemError = ::boost::system::system_error;
#else
using ErrorCode = ::asio::error_code;
using SystemError = ::asio::system_error;
#endif

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
