/*
 * A clock that jumps, for LD_PRELOAD: the monotonic clock of a process and its children leaps ahead
 * by 30 ms in every 400 ms. The processor's own counter knows nothing of it.
 *
 *   cc -shared -fPIC -O2 -o clock-jump.so clock-jump.c
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 400000000LL
#define JUMP_NS 30000000LL
#define SECOND_NS 1000000000LL

int clock_gettime(clockid_t clock, struct timespec *time) {
  /* The system call itself: the C library's function is the one that is replaced here. */
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result != 0 || clock != CLOCK_MONOTONIC) return result;
  const long long now = (long long)time->tv_sec * SECOND_NS + time->tv_nsec;
  const long long shown = now + now / PERIOD_NS * JUMP_NS;
  time->tv_sec = (time_t)(shown / SECOND_NS);
  time->tv_nsec = (long)(shown % SECOND_NS);
  return 0;
}
