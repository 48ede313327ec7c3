/* What every receiver checks of each value, and how it tells the result. See ioc.c for what the values mean.
 *
 * A stream is one record as one session sees it. `begin RUN` starts a run, `end LAST PATIENCE` its evaluation: when
 * every stream has come to the sequence number LAST, or after PATIENCE seconds, a line of JSON is printed. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUB_BITS = 5, SUBS = 1 << SUB_BITS, BUCKETS = 64 * SUBS }; /* latencies to 3 % */
static const double RUN = 1e7;
static const uint32_t UNSEEN = UINT32_MAX;
static const uint64_t SECOND = 1000000000;

typedef struct {
    uint32_t *last; /* of each stream, the newest sequence number of this run */
    size_t streams;
    double base; /* run * RUN; not a number before the first run */
    uint64_t introduced; /* streams that had any value at all */
    uint64_t received, duplicates, disordered, coalesced, broken;
    uint64_t newest, ended; /* when the newest value came, and when the end was asked for */
    uint32_t final; /* the sequence number that all streams should come to; 0 before `end` */
    uint64_t deadline;
    size_t complete; /* streams known to have come to it, from the first on */
    uint64_t slowest;
    uint64_t latencies[BUCKETS];
} Check;

static inline uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void check_open(Check *check, size_t streams)
{
    memset(check, 0, sizeof *check);
    check->streams = streams;
    check->base = NAN;
    check->last = malloc((streams + 1) * sizeof *check->last);
    memset(check->last, 0xff, (streams + 1) * sizeof *check->last);
}

static inline size_t bucket_of(uint64_t ns)
{
    if (ns < SUBS)
        return ns;
    int shift = 63 - __builtin_clzll(ns) - SUB_BITS;
    return ((size_t)(shift + 1) << SUB_BITS) + ((ns >> shift) & (SUBS - 1));
}

static inline uint64_t middle_of(size_t bucket)
{
    if (bucket < SUBS)
        return bucket;
    int shift = (int)(bucket >> SUB_BITS) - 1;
    return ((uint64_t)(SUBS + (bucket & (SUBS - 1))) << shift) + ((1ull << shift) >> 1);
}

/* A value of a stream, stamped by the IOC at `stamp` and received at `now`, both UNIX ns. */
static inline void check_value(Check *check, size_t stream, double value, uint64_t stamp, uint64_t now)
{
    double sequence = value - check->base;
    if (!(sequence >= 1 && sequence < RUN)) { /* of no run, or another */
        if (check->last[stream] == UNSEEN) {
            check->last[stream] = 0;
            check->introduced++;
        }
        return;
    }
    uint32_t number = (uint32_t)sequence, last = check->last[stream];
    if (number <= last) {
        *(number == last ? &check->duplicates : &check->disordered) += 1;
        return;
    }
    check->last[stream] = number;
    check->received++;
    check->newest = now;
    uint64_t latency = now > stamp ? now - stamp : 0;
    check->latencies[bucket_of(latency)]++;
    if (latency > check->slowest)
        check->slowest = latency;
}

static void check_begin(Check *check, long run)
{
    uint32_t *last = check->last;
    size_t streams = check->streams;
    uint64_t introduced = check->introduced;
    memset(check, 0, sizeof *check);
    memset(last, 0, streams * sizeof *last);
    check->last = last;
    check->streams = streams;
    check->introduced = introduced;
    check->base = run * RUN;
}

static void check_end(Check *check, uint32_t final, double patience)
{
    check->ended = wall_ns();
    check->deadline = check->ended + (uint64_t)(patience * SECOND);
    check->complete = 0;
    check->final = final;
}

/* Whether the run that is to end has ended. */
static int check_done(Check *check)
{
    if (!check->final)
        return 0;
    while (check->complete < check->streams && check->last[check->complete] >= check->final)
        check->complete++;
    return check->complete == check->streams || wall_ns() > check->deadline;
}

static double check_percentile(const Check *check, double share) /* ms */
{
    uint64_t wanted = (uint64_t)ceil(share * check->received), seen = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++)
        if ((seen += check->latencies[bucket]) >= wanted && seen)
            return fmin(middle_of(bucket), check->slowest) / 1e6;
    return 0;
}

/* Print the result as JSON, with `more` members at its end: "" or ", \"name\": value, ...". */
static void check_print(Check *check, const char *more)
{
    uint64_t expected = (uint64_t)check->final * check->streams;
    double drain = check->newest > check->ended ? (check->newest - check->ended) / 1e9 : 0;
    printf("{\"expected\": %lu, \"received\": %lu, \"lost\": %ld, \"coalesced\": %lu, \"duplicates\": %lu, "
           "\"disordered\": %lu, \"broken\": %lu, \"drain\": %.4f, \"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, "
           "\"p999\": %.4f, \"max\": %.4f%s}\n",
           expected, check->received, (long)(expected - check->received), check->coalesced, check->duplicates,
           check->disordered, check->broken, drain, check_percentile(check, 0.5), check_percentile(check, 0.9),
           check_percentile(check, 0.99), check_percentile(check, 0.999), check->slowest / 1e6, more);
    fflush(stdout);
    check->final = 0;
}

/* Read a line of standard input and do as it says; 0 at its end. */
static int check_command(Check *check)
{
    char line[128];
    long run;
    unsigned final;
    double patience;
    if (!fgets(line, sizeof line, stdin))
        return 0;
    if (sscanf(line, "begin %ld", &run) == 1) {
        check_begin(check, run);
        printf("{}\n");
        fflush(stdout);
    } else if (sscanf(line, "end %u %lf", &final, &patience) == 2) {
        check_end(check, final, patience);
    } else {
        fprintf(stderr, "unknown command: %s", line);
        exit(1);
    }
    return 1;
}
