/* Reads the messages of /monitor, just well enough for the benchmark: one pass over the bytes, no copies. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char type; /* first letter of a msg_type that matters: 'm'onitor, 'c'onnection, 'e'rror; else 0 */
    int conn;
    long pv; /* index at the end of the name */
    double value, tail; /* the scalar, or the first and the last element of an array */
    long length; /* of the array */
    long count, coalesced;
    double stamp; /* UNIX seconds */
} Message;

static void malformed(const char *at)
{
    fprintf(stderr, "not understood: %.80s\n", at);
    exit(1);
}

static inline int is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\n')
        at++;
    return at;
}

static const double POWERS[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                                1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20};

static inline double read_number(const char **at)
{
    const char *c = *at;
    int negative = *c == '-';
    int fraction = 0;
    uint64_t digits = 0;
    for (c += negative; is_digit(*c); c++)
        digits = digits * 10 + (*c - '0');
    if (*c == '.')
        for (c++; is_digit(*c); c++)
            if (digits < 100000000000000000) {
                digits = digits * 10 + (*c - '0');
                fraction++;
            }
    double number = digits / POWERS[fraction];
    if (*c == 'e' || *c == 'E') {
        char *behind;
        number *= pow(10, strtol(c + 1, &behind, 10));
        c = behind;
    }
    *at = c;
    return negative ? -number : number;
}

/* Behind the quote that ends the string whose first character is at `at`. */
static inline const char *skip_string(const char *at, const char *end)
{
    const char *quote = at;
    do {
        quote = memchr(quote, '"', end - quote);
        if (!quote)
            malformed(at);
        quote++;
    } while (quote[-2] == '\\' && quote - at >= 2);
    return quote;
}

static long index_at_the_end(const char *behind)
{
    long index = 0, weight = 1;
    while (is_digit(*--behind)) {
        index += weight * (*behind - '0');
        weight *= 10;
    }
    return index;
}

static const char *read_array(const char *at, const char *end, Message *message)
{
    const char *close = memchr(at, ']', end - at), *last = close;
    if (!close)
        malformed(at);
    message->length = 1;
    for (const char *c = at; c < close; c++)
        message->length += *c == ',';
    at++;
    message->value = read_number(&at);
    while (last[-1] != ',' && last[-1] != '[')
        last--;
    last = skip_space(last);
    message->tail = read_number(&last);
    return close + 1;
}

static uint32_t sextet(char c)
{
    const char *table = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return c == '=' ? 0 : (uint32_t)(strchr(table, c) - table);
}

/* The double at the end, or the beginning, of 16 characters of base64 that hold 12, 11 or 10 bytes. */
static double double_of_base64(const char *text, int at_end)
{
    unsigned char bytes[12];
    for (int i = 0; i < 4; i++, text += 4) {
        uint32_t three = sextet(text[0]) << 18 | sextet(text[1]) << 12 | sextet(text[2]) << 6 | sextet(text[3]);
        bytes[3 * i] = three >> 16;
        bytes[3 * i + 1] = three >> 8;
        bytes[3 * i + 2] = three;
    }
    int padding = (text[-1] == '=') + (text[-2] == '=');
    double number;
    memcpy(&number, bytes + (at_end ? 12 - padding - 8 : 0), 8);
    return number;
}

static const char *read_string(const char *key, size_t length, const char *at, const char *end, Message *message)
{
    const char *behind = skip_string(++at, end);
    if (length == 6 && key[0] == 'p') {
        message->pv = index_at_the_end(behind - 1);
    } else if (length == 8 && key[0] == 'm') {
        message->type = !memcmp(at, "monitor\"", 8) ? 'm' : *at == 'c' || *at == 'e' ? *at : 0;
    } else if (length == 9 && key[0] == 'v') {
        message->value = double_of_base64(at, 0);
        message->tail = double_of_base64(behind - 1 - 16, 1);
        message->length = (long)((behind - 1 - at) / 4 * 3 / sizeof(double));
    }
    return behind;
}

static const char *read_value(const char *key, size_t length, const char *at, const char *end, Message *message)
{
    if (*at == '"')
        return read_string(key, length, at, end, message);
    if (*at == '[')
        return read_array(at, end, message);
    if (*at == 't' || *at == 'f' || *at == 'n') {
        message->conn = *at == 't';
        return at + (*at == 'f' ? 5 : 4);
    }
    if (!is_digit(*at) && *at != '-')
        malformed(at);
    double number = read_number(&at);
    if (length == 5 && key[0] == 'v')
        message->value = number;
    else if (length == 5 && key[0] == 'c')
        message->count = (long)number;
    else if (length == 9 && key[0] == 't')
        message->stamp = number;
    else if (length == 9 && key[0] == 'c')
        message->coalesced = (long)number;
    return at;
}

/* Read the object at `at`, which has no objects inside; returns the place behind it. */
static const char *read_message(const char *at, const char *end, Message *message)
{
    const char *first = at;
    memset(message, 0, sizeof *message);
    if (*at != '{')
        malformed(at);
    while (*at != '}') {
        const char *key = skip_space(at + 1) + 1;
        const char *behind = skip_string(key, end);
        at = skip_space(behind);
        if (*at != ':')
            malformed(at);
        at = skip_space(read_value(key, behind - 1 - key, skip_space(at + 1), end, message));
        if (*at != ',' && *at != '}')
            malformed(at);
    }
    if (message->type == 'e')
        malformed(first);
    return at + 1;
}
