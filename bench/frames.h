/* The values in the frames of a server. Sessions that subscribe alike get equal frames: one that is byte for byte one
 * that was read shortly before is not read again, so that its values cost only their check. */

#include <stddef.h>

#include "message.h"

enum { CACHE_SIZE = 1024, CACHED_FRAME = 1 << 18 };

typedef struct {
    long pv;
    double value;
    uint64_t stamp;
    uint32_t coalesced;
} Value;

typedef struct { /* a frame that was read, and what was in it */
    char *frame;
    size_t length;
    Value *values;
    size_t count;
} Parsed;

static long array_elements; /* that a value should have; 0: it is a scalar */
static uint64_t frames, parsed_frames, disconnections, broken_arrays;
static Parsed cache[CACHE_SIZE];
static Value *values; /* of the frame that is read */
static size_t value_capacity;

static void keep(Value value, size_t at)
{
    if (at == value_capacity)
        values = realloc(values, (value_capacity = value_capacity * 2 + 64) * sizeof *values);
    values[at] = value;
}

static size_t add_message(const Message *message, size_t count)
{
    disconnections += message->type == 'c' && !message->conn;
    if (message->type != 'm')
        return count;
    broken_arrays += array_elements && (message->count != array_elements || message->length != array_elements ||
                                        message->value != message->tail);
    keep((Value){message->pv, message->value, (uint64_t)(message->stamp * SECOND), (uint32_t)message->coalesced}, count);
    return count + 1;
}

static size_t parse_text(const char *at, const char *end)
{
    Message message;
    if (*at == '{') {
        read_message(at, end, &message);
        return add_message(&message, 0);
    }
    size_t count = 0;
    for (at = skip_space(at + 1); at < end && *at != ']'; at = skip_space(at + (*at == ','))) {
        at = skip_space(read_message(at, end, &message));
        count = add_message(&message, count);
    }
    return count;
}

static size_t parse_binary(const char *at, const char *end)
{
    Message message;
    uint32_t header;
    memcpy(&header, at, sizeof header);
    const char *elements = at + sizeof header + header;
    read_message(at + sizeof header, elements, &message);
    memcpy(&message.value, elements, sizeof(double));
    memcpy(&message.tail, end - sizeof(double), sizeof(double));
    message.length = (end - elements) / (long)sizeof(double);
    return add_message(&message, 0);
}

/* By all bytes of a short frame, and some 64 words of a long one. */
static Parsed *place_of(const char *frame, size_t length)
{
    uint64_t hash = length, word = 0;
    size_t step = length / 64 < sizeof word ? sizeof word : length / 64;
    for (size_t i = 0; i + sizeof word <= length; i += step) {
        memcpy(&word, frame + i, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15;
        hash ^= hash >> 32;
    }
    return &cache[hash % CACHE_SIZE];
}

static void remember(Parsed *place, const char *frame, size_t length, size_t count)
{
    place->frame = realloc(place->frame, length);
    place->values = realloc(place->values, (count + 1) * sizeof *values);
    memcpy(place->frame, frame, length);
    memcpy(place->values, values, count * sizeof *values);
    place->length = length;
    place->count = count;
}

/* The values of a frame, with their number; they stay until the next call. */
static const Value *values_of(int opcode, const char *frame, size_t length, int shared, size_t *count)
{
    int cached = shared && length <= CACHED_FRAME;
    Parsed *place = cached ? place_of(frame, length) : NULL;
    frames++;
    if (cached && place->length == length && !memcmp(place->frame, frame, length)) {
        *count = place->count;
        return place->values;
    }
    parsed_frames++;
    *count = (opcode == 1 ? parse_text : parse_binary)(frame, frame + length);
    if (cached)
        remember(place, frame, length, *count);
    return values;
}
