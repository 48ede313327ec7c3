/* Receives the monitors of an IOC with libca and nothing else: what is possible at all. receive STEM COUNT;
 * see check.h for the commands. */

#include <poll.h>
#include <unistd.h>

#include <cadef.h>

#include "check.h"

enum { EPICS_EPOCH = 631152000 };

static Check check;

/* One circuit, so one thread of libca's, calls this; main only looks. */
static void on_event(struct event_handler_args event)
{
    if (event.status != ECA_NORMAL)
        return;
    const struct dbr_time_double *data = event.dbr;
    uint64_t stamp = (data->stamp.secPastEpoch + (uint64_t)EPICS_EPOCH) * SECOND + data->stamp.nsec;
    const double *elements = &data->value;
    if (elements[event.count - 1] != elements[0])
        check.broken++;
    check_value(&check, (size_t)event.usr, data->value, stamp, wall_ns());
}

static void open_channels(const char *stem, long count)
{
    chid *channels = calloc(count, sizeof *channels);
    char name[128];
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%ld", stem, i);
        SEVCHK(ca_create_channel(name, NULL, NULL, CA_PRIORITY_DEFAULT, &channels[i]), name);
    }
    SEVCHK(ca_pend_io(10), "connecting");
    for (long i = 0; i < count; i++)
        SEVCHK(ca_create_subscription(DBR_TIME_DOUBLE, 0, channels[i], DBE_VALUE | DBE_ALARM, on_event,
                                      (void *)(size_t)i, NULL), "subscribing");
    ca_flush_io();
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    long count = atol(argv[2]);
    check_open(&check, count);
    SEVCHK(ca_context_create(ca_enable_preemptive_callback), "Channel Access");
    open_channels(argv[1], count);
    while (*(volatile uint64_t *)&check.introduced < check.streams)
        usleep(1000);
    printf("{}\n");
    fflush(stdout);
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, check.final ? 1 : 1000) > 0 && !check_command(&check))
            return 0;
        if (check_done(&check))
            check_print(&check, "");
    }
}
