/* A clock that runs faster, for the functions: SES_PERIMETER_CLOCK_SPEED seconds pass in one.

   Loaded before the C library. What programs measure and wait by is the monotonic clock; the time
   of day stays, because signatures carry it. Without the variable nothing changes. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_wait)(int, struct epoll_event *, int, int);
static long long began;
static long long speed = 1;

static long long nanoseconds(const struct timespec *moment) {
    return moment->tv_sec * 1000000000LL + moment->tv_nsec;
}

__attribute__((constructor)) static void begin(void) {
    const char *given = getenv("SES_PERIMETER_CLOCK_SPEED");
    struct timespec now;
    real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    real_wait = dlsym(RTLD_NEXT, "epoll_wait");
    real_clock(CLOCK_MONOTONIC, &now);
    began = nanoseconds(&now);
    if (given && atoll(given) > 0) {
        speed = atoll(given);
    }
}

int clock_gettime(clockid_t clock, struct timespec *moment) {
    int answer;
    if (!real_clock) {
        begin();
    }
    answer = real_clock(clock, moment);
    if (answer == 0 && clock == CLOCK_MONOTONIC) {
        long long passed = began + (nanoseconds(moment) - began) * speed;
        moment->tv_sec = passed / 1000000000LL;
        moment->tv_nsec = passed % 1000000000LL;
    }
    return answer;
}

int epoll_wait(int queue, struct epoll_event *events, int most, int milliseconds) {
    if (milliseconds > 0) {
        milliseconds = (int)((milliseconds + speed - 1) / speed);
    }
    return real_wait(queue, events, most, milliseconds);
}
