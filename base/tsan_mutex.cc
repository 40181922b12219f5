// SPDX-License-Identifier: Apache-2.0
// Only in ThreadSanitizer builds. The distribution's abseil is not built for the sanitizer, which
// therefore does not see that its Mutex orders anything and would report every guarded member. The
// linker puts these wrappers (--wrap, cmake/CordonModule.cmake) around the calls of ours.
//
// absl::Condition predicates run inside the library, in whichever thread holds the mutex just then:
// their reads are ordered by the mutex but cannot be shown to be, so they are ignored.
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);

// The mangled names of absl 20220623 as Debian 12 has it (inline namespace debian3).
#define REAL(name) __real__ZN4absl7debian3##name
#define WRAP(name) __wrap__ZN4absl7debian3##name

void REAL(5Mutex4LockEv)(absl::Mutex* mutex);
void REAL(5Mutex6UnlockEv)(absl::Mutex* mutex);
void REAL(5Mutex5AwaitERKNS0_9ConditionE)(absl::Mutex* mutex, const absl::Condition& condition);
bool REAL(5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(absl::Mutex* mutex,
                                                                   const absl::Condition& condition,
                                                                   absl::Duration timeout);
void REAL(12Notification6NotifyEv)(absl::Notification* notification);

void WRAP(5Mutex4LockEv)(absl::Mutex* mutex) {
  REAL(5Mutex4LockEv)(mutex);
  __tsan_acquire(mutex);
}

void WRAP(5Mutex6UnlockEv)(absl::Mutex* mutex) {
  __tsan_release(mutex);
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  REAL(5Mutex6UnlockEv)(mutex);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

void WRAP(5Mutex5AwaitERKNS0_9ConditionE)(absl::Mutex* mutex, const absl::Condition& condition) {
  __tsan_release(mutex);
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  REAL(5Mutex5AwaitERKNS0_9ConditionE)(mutex, condition);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  __tsan_acquire(mutex);
}

bool WRAP(5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(
    absl::Mutex* mutex, const absl::Condition& condition, absl::Duration timeout) {
  __tsan_release(mutex);
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  const bool met = REAL(5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(mutex, condition, timeout);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  __tsan_acquire(mutex);
  return met;
}

// Its flag follows the mutex inside; waiters read it in code of ours.
void WRAP(12Notification6NotifyEv)(absl::Notification* notification) {
  __tsan_release(reinterpret_cast<char*>(notification) + sizeof(absl::Mutex));
  REAL(12Notification6NotifyEv)(notification);
}

bool __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const absl::Notification* notification, absl::Duration timeout);
bool __wrap__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const absl::Notification* notification, absl::Duration timeout) {
  const bool met = __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
      notification, timeout);
  __tsan_acquire(reinterpret_cast<char*>(const_cast<absl::Notification*>(notification)) + sizeof(absl::Mutex));
  return met;
}
}
