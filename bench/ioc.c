/* The IOC's side of the benchmark, loaded into an IOC process: posts to its records at a commanded rate.
 *
 * A value is run * 1e7 + sequence: the sequence counts from 1 for each record and run, so that a receiver knows what is
 * missing, doubled or out of order, and takes no value of an earlier run for one of its own. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <aiRecord.h>
#include <alarm.h>
#include <dbAccess.h>
#include <dbEvent.h>
#include <dbLock.h>
#include <caeventmask.h>
#include <waveformRecord.h>

enum { MASK = DBE_VALUE | DBE_LOG };
static const double RUN = 1e7;
static const uint64_t SECOND = 1000000000, MILLISECOND = 1000000;

typedef struct {
    dbCommon **records;
    long count;
    int waveforms;
} Set;

typedef struct {
    uint64_t posted;
    uint64_t rounds; /* how often each record was posted */
    double seconds;
} Result;

static Set sets[64];
static int set_count;

static void fill(waveformRecord *waveform)
{
    double *elements = waveform->bptr;
    for (epicsUInt32 i = 0; i < waveform->nelm; i++)
        elements[i] = 100 * sin(i * 0.001);
    elements[0] = elements[waveform->nelm - 1] = 0;
    waveform->nord = waveform->nelm;
}

/* Look the records up; returns the number of their set, or -1. They are waveforms or ai records. */
int bench_open(const char *const *names, long count, int waveforms)
{
    Set *set = &sets[set_count];
    if (set_count == sizeof sets / sizeof *sets)
        return -1;
    set->records = calloc(count, sizeof *set->records);
    set->count = count;
    set->waveforms = waveforms;
    for (long i = 0; i < count; i++) {
        struct dbAddr address;
        if (dbNameToAddr(names[i], &address))
            return -1;
        set->records[i] = address.precord;
        if (waveforms)
            fill((waveformRecord *)address.precord);
        address.precord->udf = 0;
        address.precord->stat = NO_ALARM;
        address.precord->sevr = NO_ALARM;
    }
    return set_count++;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
    struct timespec until = {ns / SECOND, ns % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* The first and the last element tell the sequence: a waveform that was cut short is seen to be. */
static void *set_value(const Set *set, dbCommon *record, double value)
{
    if (!set->waveforms) {
        ((aiRecord *)record)->val = value;
        return &((aiRecord *)record)->val;
    }
    waveformRecord *waveform = (waveformRecord *)record;
    double *elements = waveform->bptr;
    elements[0] = elements[waveform->nelm - 1] = value;
    return &waveform->val; /* by which CA knows the field */
}

static void post(const Set *set, long index, double value)
{
    dbCommon *record = set->records[index];
    struct timespec stamp;
    dbScanLock(record);
    void *field = set_value(set, record, value);
    clock_gettime(CLOCK_REALTIME, &stamp);
    epicsTimeFromTimespec(&record->time, &stamp);
    db_post_events(record, field, MASK);
    dbScanUnlock(record);
}

/* Post `rounds` times to each of the first `count` records of a set, one record after the other, at `rate` posts a
 * second in all: what is due in bursts every `burst` ms, or, when that is 0, each by itself. Returns early, after a
 * whole round, when the machine is too slow to do it in twice the time. */
Result bench_run(int number, long count, double rate, long burst, long run, long rounds)
{
    const Set *set = &sets[number];
    double period = SECOND / rate; /* ns */
    uint64_t step = burst * MILLISECOND;
    uint64_t start = now_ns(), now = start, limit = start + (uint64_t)(2 * period * count * rounds) + SECOND / 10;
    uint64_t posted = 0, total = (uint64_t)count * rounds;
    prctl(PR_SET_TIMERSLACK, 1);
    while (posted < total && (now < limit || posted % count)) {
        uint64_t next = step ? (now - start) / step * step + step : (uint64_t)(posted * period);
        sleep_until(start + next);
        now = now_ns();
        uint64_t due = (uint64_t)((now - start) / period) + 1;
        for (; posted < due && posted < total; posted++)
            post(set, posted % count, run * RUN + posted / count + 1);
    }
    if (posted == total)
        sleep_until(start + (uint64_t)(period * total)); /* the last post has its period too */
    return (Result){posted, posted / count, (now_ns() - start) / 1e9};
}
