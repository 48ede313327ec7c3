/* WebSocket framing as a client needs it (RFC 6455, section 5). */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            fail("send");
        if (sent < 0)
            poll(&(struct pollfd){fd, POLLOUT, 0}, 1, 100);
        else
            data += sent, length -= sent;
    }
}

/* A client's frames are masked; a mask of zeros leaves the bytes as they are. */
static void send_frame(int fd, int opcode, const char *data, size_t length)
{
    unsigned char head[14] = {0x80 | opcode};
    size_t size = length < 126 ? 2 : length < 65536 ? 4 : 10;
    head[1] = 0x80 | (size == 2 ? length : size == 4 ? 126 : 127);
    for (size_t i = 2; i < size; i++)
        head[i] = length >> 8 * (size - 1 - i);
    send_all(fd, (char *)head, size + 4);
    send_all(fd, data, length);
}

/* The size of the frame at the beginning of the data with its head, or 0 if that is incomplete. */
static size_t frame_size(const unsigned char *data, size_t length, size_t *head)
{
    *head = length < 2 || data[1] < 126 ? 2 : data[1] == 126 ? 4 : 10;
    if (length < *head)
        return 0;
    size_t size = data[1] & 127;
    if (*head > 2) {
        size = 0;
        for (size_t i = 2; i < *head; i++)
            size = size << 8 | data[i];
    }
    return *head + size;
}
