/* The load: many WebSocket sessions on one thread, fast enough not to be what limits. See check.h for the commands.
 *
 * Arguments are name=value. When every session has the first value of each of its PVs, a line of JSON tells how long
 * that took. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "frames.h"
#include "websocket.h"

enum { READ_SIZE = 1 << 20 };

typedef enum { CONNECTING, HANDSHAKE, OPEN, CLOSED } State;

typedef struct {
    int fd;
    State state;
    int stalled; /* subscribes, and reads nothing any more */
    long first; /* of its PVs */
    size_t stream; /* that of its first PV */
    char *pending; /* an incomplete frame */
    size_t length, capacity;
} Session;

static struct {
    int port;
    long sessions, stalled; /* the first `stalled` sessions are */
    long pvs, stride, total; /* session n has `pvs` PVs from n * stride on, of `total` */
    long elements; /* of each PV, 0 for scalars */
    long window; /* connections being made at a time */
    char stem[64], options[128];
} set = {.sessions = 1, .pvs = 1, .total = 1, .window = 50};

static Check check;
static Session *sessions;
static char *scratch;
static uint64_t now, started, all_open, bytes;
static long begun, opened, closed;
static int poll_fd, ready; /* all sessions have the first value of each PV */

/* -- what a session gets */

static void deliver(const Session *session, const Value *value, size_t count)
{
    for (; count--; value++) {
        long slot = value->pv - session->first;
        slot += slot < 0 ? set.total : 0;
        if (slot >= set.pvs)
            malformed("a PV that was not asked for");
        check.coalesced += value->coalesced;
        check_value(&check, session->stream + slot, value->value, value->stamp, now);
    }
}

static void take_data(const Session *session, int opcode, const char *frame, size_t length)
{
    size_t count;
    const Value *values = values_of(opcode, frame, length, set.sessions > 1, &count);
    bytes += length;
    deliver(session, values, count);
}

static void close_session(Session *session)
{
    if (!ready)
        malformed("the server closed a session");
    close(session->fd);
    session->state = CLOSED;
    closed++;
}

static void take_frame(Session *session, int opcode, const char *frame, size_t length)
{
    if (opcode == TEXT || opcode == BINARY)
        take_data(session, opcode, frame, length);
    else if (opcode == PING)
        send_frame(session->fd, PONG, frame, length);
    else if (opcode == CLOSE)
        close_session(session);
}

/* Take all whole frames; returns the bytes taken, and in `missing` the size of the one that is not whole. */
static size_t take_frames(Session *session, char *data, size_t length, size_t *missing)
{
    size_t taken = 0, head, size;
    while ((size = frame_size((unsigned char *)data + taken, length - taken, &head)) && taken + size <= length) {
        if (!(data[taken] & 0x80))
            malformed("a fragmented message");
        take_frame(session, data[taken] & 15, data + taken + head, size - head);
        taken += size;
    }
    *missing = size;
    return taken;
}

/* Room for so many bytes and a zero behind them. */
static void reserve(Session *session, size_t size)
{
    if (session->capacity <= size)
        session->pending = realloc(session->pending, session->capacity = size + 1);
}

/* Data is read into one buffer for all sessions; only an incomplete frame is kept, and if long, completed in place. */
static void read_session(Session *session)
{
    int in_place = session->length > READ_SIZE / 2;
    char *data = in_place ? session->pending : scratch;
    if (!in_place && session->length)
        memcpy(scratch, session->pending, session->length);
    size_t space = in_place ? session->capacity - 1 - session->length : READ_SIZE;
    ssize_t got = recv(session->fd, data + session->length, space, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        close_session(session);
        return;
    }
    now = wall_ns();
    size_t length = session->length + got, missing;
    data[length] = 0;
    size_t taken = take_frames(session, data, length, &missing);
    session->length = length - taken;
    if (in_place && taken)
        memmove(session->pending, data + taken, session->length);
    reserve(session, missing > session->length ? missing : session->length);
    if (!in_place)
        memcpy(session->pending, data + taken, session->length);
}

/* -- how sessions begin */

static void watch(Session *session, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = session};
    if (epoll_ctl(poll_fd, operation, session->fd, &event))
        fail("epoll_ctl");
}

static void start_session(Session *session)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(set.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    session->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->fd < 0)
        fail("socket");
    setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(session->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect");
    watch(session, EPOLL_CTL_ADD, EPOLLOUT);
    begun++;
}

static void ask_for_upgrade(Session *session)
{
    char request[256];
    int length = snprintf(request, sizeof request,
                          "GET /monitor HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          set.port);
    send_all(session->fd, request, length);
    session->state = HANDSHAKE;
    watch(session, EPOLL_CTL_MOD, EPOLLIN);
}

static void subscribe(Session *session)
{
    size_t size = (size_t)set.pvs * (strlen(set.stem) + 24) + 64;
    char *request = malloc(size), *at = request;
    if (*set.options)
        send_frame(session->fd, TEXT, set.options, strlen(set.options));
    at += sprintf(at, "{\"action\": \"connect\", \"pv\": [");
    for (long i = 0; i < set.pvs; i++)
        at += sprintf(at, "%s\"%s%ld\"", i ? ", " : "", set.stem, (session->first + i) % set.total);
    at += sprintf(at, "]}");
    if (set.pvs)
        send_frame(session->fd, TEXT, request, at - request);
    free(request);
}

static void finish_handshake(Session *session)
{
    ssize_t got = recv(session->fd, scratch, READ_SIZE, MSG_PEEK);
    char *end = got > 0 ? memmem(scratch, got, "\r\n\r\n", 4) : NULL;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got > 12 && !end && !memcmp(scratch + 9, "101", 3))
        return;
    if (!end || memcmp(scratch + 9, "101", 3))
        malformed(got > 0 ? scratch : "closed before the handshake");
    recv(session->fd, scratch, end + 4 - scratch, 0);
    session->state = OPEN;
    subscribe(session);
    if (session->stalled)
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, session->fd, NULL);
    all_open = wall_ns();
    opened++;
}

static void serve(Session *session)
{
    if (session->state == CONNECTING)
        ask_for_upgrade(session);
    else if (session->state == HANDSHAKE)
        finish_handshake(session);
    else if (session->state == OPEN)
        read_session(session);
}

static void open_sessions(void)
{
    sessions = calloc(set.sessions, sizeof *sessions);
    for (long i = 0; i < set.sessions; i++) {
        sessions[i].stalled = i < set.stalled;
        sessions[i].first = set.total ? i * set.stride % set.total : 0;
        long reading = i < set.stalled ? 0 : i - set.stalled;
        sessions[i].stream = (size_t)(reading * set.pvs);
    }
}

/* -- the program */

static void read_arguments(char **argument)
{
    const struct { const char *name; long *value; } numbers[] = {
        {"sessions", &set.sessions}, {"stalled", &set.stalled}, {"pvs", &set.pvs}, {"stride", &set.stride},
        {"total", &set.total}, {"elements", &set.elements}, {"window", &set.window},
    };
    for (; *argument; argument++) {
        char *value = strchr(*argument, '=');
        if (!value)
            malformed(*argument);
        *value++ = 0;
        if (!strcmp(*argument, "port"))
            set.port = atoi(value);
        else if (!strcmp(*argument, "stem"))
            snprintf(set.stem, sizeof set.stem, "%s", value);
        else if (!strcmp(*argument, "options"))
            snprintf(set.options, sizeof set.options, "%s", value);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            if (!strcmp(*argument, numbers[i].name))
                *numbers[i].value = atol(value);
    }
}

static void print_ready(void)
{
    printf("{\"open\": %.4f, \"ready\": %.4f}\n", (all_open - started) / 1e9, (wall_ns() - started) / 1e9);
    fflush(stdout);
}

static void print_result(void)
{
    char more[256];
    check.broken = broken_arrays;
    snprintf(more, sizeof more,
             ", \"frames\": %lu, \"parsed_frames\": %lu, \"bytes\": %lu, \"closed\": %ld, \"disconnected\": %lu", frames,
             parsed_frames, bytes, closed, disconnections);
    check_print(&check, more);
    frames = parsed_frames = bytes = broken_arrays = 0;
}

static void prepare(void)
{
    array_elements = set.elements;
    scratch = malloc(2 * READ_SIZE);
    check_open(&check, (size_t)(set.sessions - set.stalled) * set.pvs);
    open_sessions();
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    setvbuf(stdin, NULL, _IONBF, 0);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    started = wall_ns();
}

/* 0 at the end of standard input. */
static int serve_all(void)
{
    struct epoll_event events[256];
    int happened = epoll_wait(poll_fd, events, 256, check.final ? 1 : 1000);
    for (int i = 0; i < happened; i++) {
        if (events[i].data.ptr)
            serve(events[i].data.ptr);
        else if (!check_command(&check))
            return 0;
    }
    return 1;
}

int main(int count, char **arguments)
{
    (void)count;
    read_arguments(arguments + 1);
    prepare();
    do {
        while (begun < set.sessions && begun - opened < set.window)
            start_session(&sessions[begun]);
        if (!ready && opened == set.sessions && check.introduced == check.streams) {
            ready = 1;
            print_ready();
        }
        if (check_done(&check))
            print_result();
    } while (serve_all());
}
