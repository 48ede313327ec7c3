/* Events of Channel Access on their way from libca's threads to the event loop, without the interpreter's lock.

   A ring keeps what comes in order: events, copied as libca calls back, and calls that Python code puts between them.
   The loop takes all of it at once; it is woken through a pipe, once until it says that it is idle. With more than
   `limit` bytes waiting, only the newest event of each key and type is kept among those between two calls, and says how
   many it stands for. EventQueue in queue.py is the same in Python, for where this is not compiled. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RINGS = 256, TYPES = 39, ECA_NORMAL = 1, KEY_BITS = 40, LARGE = 32768 };
enum { EVENT_BYTES = 640 }; /* what an event takes beside its own bytes, about, once it is a Python object */

#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)

typedef struct { /* struct event_handler_args of cadef.h */
    void *usr;
    void *chid;
    long type;
    long count;
    const void *dbr;
    int status;
} EventArgs;

typedef struct Node {
    struct Node *next;
    PyObject *call; /* or NULL, and this is an event */
    uint64_t key;
    long type, count;
    int status, replaced;
    unsigned long merged;
    size_t size;
    char bytes[];
} Node;

typedef struct {
    PyObject_HEAD
    Node *head, *tail;
    size_t waiting, limit, compact_at; /* bytes, EVENT_BYTES for each included */
    unsigned long long dropped;
    int wake_fd, number, awake;
    size_t base[TYPES], each[TYPES]; /* of a DBR type: bytes before the elements, and of one element */
} Ring;

/* Over all rings. Whoever holds it neither waits for the interpreter nor lets it go. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Ring *rings[RINGS]; /* by the upper bits of a key */

/* -- the queue; with the lock */

typedef struct {
    Node *newest;
    unsigned stretch;
} Slot;

static Slot *slot_of(Slot *slots, size_t mask, const Node *node, unsigned stretch)
{
    size_t place = (node->key * UINT64_C(0x9E3779B97F4A7C15) >> 20) & mask;
    while (slots[place].newest && slots[place].stretch == stretch
           && (slots[place].newest->key != node->key || slots[place].newest->type != node->type))
        place = (place + 1) & mask;
    return &slots[place];
}

/* Let the newest event of each key and type stand for the older ones, in each stretch between two calls. */
static void merge(Node *head, Slot *slots, size_t mask)
{
    unsigned stretch = 1;
    for (Node *node = head; node; node = node->next) {
        if (node->call) {
            stretch++;
            continue;
        }
        Slot *slot = slot_of(slots, mask, node, stretch);
        if (slot->newest && slot->stretch == stretch) {
            node->merged += slot->newest->merged + 1;
            slot->newest->replaced = 1;
        }
        *slot = (Slot){node, stretch};
    }
}

static void drop_replaced(Ring *ring)
{
    Node **link = &ring->head;
    ring->tail = NULL;
    while (*link) {
        Node *node = *link;
        if (node->replaced) {
            *link = node->next;
            ring->waiting -= EVENT_BYTES + node->size;
            ring->dropped++;
            free(node);
        } else {
            ring->tail = node;
            link = &node->next;
        }
    }
}

static void compact(Ring *ring)
{
    size_t nodes = 0, slots_count = 2;
    for (Node *node = ring->head; node; node = node->next)
        nodes++;
    while (slots_count < 2 * nodes)
        slots_count *= 2;
    Slot *slots = calloc(slots_count, sizeof *slots);
    if (slots) {
        merge(ring->head, slots, slots_count - 1);
        free(slots);
        drop_replaced(ring);
    }
    ring->compact_at = 2 * ring->waiting > ring->limit ? 2 * ring->waiting : ring->limit;
}

/* Append; whether the loop has to be woken. */
static int append(Ring *ring, Node *node)
{
    int asleep = !ring->awake;
    node->next = NULL;
    if (ring->tail)
        ring->tail->next = node;
    else
        ring->head = node;
    ring->tail = node;
    ring->waiting += EVENT_BYTES + node->size;
    ring->awake = 1;
    if (ring->waiting > ring->compact_at)
        compact(ring);
    return asleep;
}

static void wake(int fd)
{
    ssize_t written = write(fd, "", 1); /* a full pipe wakes too */
    (void)written;
}

/* -- on libca's threads */

static Ring *ring_of(const EventArgs *args)
{
    return rings[((uintptr_t)args->usr >> KEY_BITS) % RINGS];
}

static size_t size_of(const Ring *ring, const EventArgs *args)
{
    if (!ring || args->status != ECA_NORMAL || args->type < 0 || args->type >= TYPES || !ring->base[args->type])
        return 0;
    return ring->base[args->type] + (size_t)args->count * ring->each[args->type];
}

/* The bytes are copied without the lock: a large array must not keep the loop waiting. */
static void on_event(EventArgs args)
{
    pthread_mutex_lock(&lock);
    size_t size = size_of(ring_of(&args), &args);
    pthread_mutex_unlock(&lock);
    Node *node = malloc(sizeof *node + size);
    if (!node)
        return;
    *node = (Node){.key = (uintptr_t)args.usr & KEY_MASK, .type = args.type, .count = args.count,
                   .status = args.status, .size = size};
    if (size)
        memcpy(node->bytes, args.dbr, size);
    pthread_mutex_lock(&lock);
    Ring *ring = ring_of(&args);
    int fd = ring && append(ring, node) ? ring->wake_fd : -1;
    pthread_mutex_unlock(&lock);
    if (!ring)
        free(node);
    if (fd >= 0)
        wake(fd);
}

/* -- the bytes of a large event, kept where they are as long as an array looks at them */

typedef struct {
    PyObject_HEAD
    Node *node;
} Block;

static int block_buffer(PyObject *self, Py_buffer *view, int flags)
{
    Node *node = ((Block *)self)->node;
    return PyBuffer_FillInfo(view, self, node->bytes, (Py_ssize_t)node->size, 1, flags);
}

static Py_ssize_t block_length(PyObject *self)
{
    return (Py_ssize_t)((Block *)self)->node->size;
}

static void block_free(PyObject *self)
{
    free(((Block *)self)->node);
    PyObject_Free(self);
}

static PyBufferProcs block_as_buffer = {.bf_getbuffer = block_buffer};
static PySequenceMethods block_as_sequence = {.sq_length = block_length};
static PyTypeObject BlockType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "pycaserver.sources._ring.Block",
    .tp_basicsize = sizeof(Block),
    .tp_dealloc = block_free,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_as_buffer = &block_as_buffer,
    .tp_as_sequence = &block_as_sequence,
    .tp_doc = "The bytes of a large event.",
};

/* The event's bytes as an object; takes the node, also on failure. */
static PyObject *bytes_of(Node *node)
{
    PyObject *bytes;
    if (node->size < LARGE) {
        bytes = PyBytes_FromStringAndSize(node->bytes, (Py_ssize_t)node->size);
        free(node);
        return bytes;
    }
    bytes = (PyObject *)PyObject_New(Block, &BlockType);
    if (bytes)
        ((Block *)bytes)->node = node;
    else
        free(node);
    return bytes;
}

/* -- on the loop */

/* (key, type, count, status, bytes, merged), or the call; takes the node, also on failure. */
static PyObject *item_of(Node *node)
{
    if (node->call) {
        PyObject *call = node->call;
        free(node);
        return call;
    }
    enum { FIELDS = 6 };
    PyObject *item = PyTuple_New(FIELDS);
    if (!item) {
        free(node);
        return NULL;
    }
    PyTuple_SET_ITEM(item, 0, PyLong_FromUnsignedLongLong(node->key));
    PyTuple_SET_ITEM(item, 1, PyLong_FromLong(node->type));
    PyTuple_SET_ITEM(item, 2, PyLong_FromLong(node->count));
    PyTuple_SET_ITEM(item, 3, PyLong_FromLong(node->status));
    PyTuple_SET_ITEM(item, 5, PyLong_FromUnsignedLong(node->merged));
    PyTuple_SET_ITEM(item, 4, bytes_of(node)); /* the last to look at the node */
    for (int i = 0; item && i < FIELDS; i++)
        if (!PyTuple_GET_ITEM(item, i))
            Py_CLEAR(item);
    return item;
}

static Node *take_nodes(Ring *ring)
{
    pthread_mutex_lock(&lock);
    Node *head = ring->head;
    ring->head = ring->tail = NULL;
    ring->waiting = 0;
    ring->compact_at = ring->limit;
    pthread_mutex_unlock(&lock);
    return head;
}

static void free_nodes(Node *node)
{
    while (node) {
        Node *next = node->next;
        Py_XDECREF(node->call);
        free(node);
        node = next;
    }
}

static PyObject *ring_take(PyObject *self, PyObject *Py_UNUSED(none))
{
    PyObject *items = PyList_New(0);
    Node *node = items ? take_nodes((Ring *)self) : NULL;
    while (node) {
        Node *next = node->next;
        PyObject *item = item_of(node);
        node = next;
        if (!item || PyList_Append(items, item) < 0) {
            Py_XDECREF(item);
            Py_CLEAR(items);
            free_nodes(node);
            break;
        }
        Py_DECREF(item);
    }
    return items;
}

static PyObject *ring_put(PyObject *self, PyObject *call)
{
    Ring *ring = (Ring *)self;
    Node *node = calloc(1, sizeof *node);
    if (!node)
        return PyErr_NoMemory();
    node->call = Py_NewRef(call);
    pthread_mutex_lock(&lock);
    int asleep = append(ring, node);
    pthread_mutex_unlock(&lock);
    if (asleep)
        wake(ring->wake_fd);
    Py_RETURN_NONE;
}

static PyObject *ring_idle(PyObject *self, PyObject *Py_UNUSED(none))
{
    Ring *ring = (Ring *)self;
    pthread_mutex_lock(&lock);
    ring->awake = ring->head != NULL;
    int idle = !ring->awake;
    pthread_mutex_unlock(&lock);
    return PyBool_FromLong(idle);
}

static PyObject *ring_usr(PyObject *self, PyObject *argument)
{
    unsigned long long key = PyLong_AsUnsignedLongLong(argument);
    if (PyErr_Occurred())
        return NULL;
    return PyLong_FromUnsignedLongLong((uint64_t)((Ring *)self)->number << KEY_BITS | (key & KEY_MASK));
}

static PyObject *ring_callback(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyLong_FromVoidPtr((void *)on_event);
}

static PyObject *ring_merged(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(((Ring *)self)->dropped);
}

/* -- its life */

static int set_sizes(Ring *ring, PyObject *sizes)
{
    PyObject *type, *pair;
    Py_ssize_t place = 0;
    while (PyDict_Next(sizes, &place, &type, &pair)) {
        long number = PyLong_AsLong(type);
        Py_ssize_t base, each;
        if (number < 0 || number >= TYPES || !PyArg_ParseTuple(pair, "nn", &base, &each)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "there is no such DBR type");
            return -1;
        }
        ring->base[number] = (size_t)base;
        ring->each[number] = (size_t)each;
    }
    return 0;
}

static int enter(Ring *ring)
{
    pthread_mutex_lock(&lock);
    for (ring->number = 0; ring->number < RINGS && rings[ring->number]; ring->number++)
        ;
    if (ring->number < RINGS)
        rings[ring->number] = ring;
    pthread_mutex_unlock(&lock);
    if (ring->number < RINGS)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "too many rings");
    return -1;
}

static PyObject *ring_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    PyObject *sizes;
    Py_ssize_t limit;
    int fd;
    if (!PyArg_ParseTuple(arguments, "O!in", &PyDict_Type, &sizes, &fd, &limit))
        return NULL;
    Ring *ring = (Ring *)type->tp_alloc(type, 0);
    if (!ring)
        return NULL;
    ring->number = RINGS;
    ring->wake_fd = fd;
    ring->limit = ring->compact_at = (size_t)limit;
    if (set_sizes(ring, sizes) < 0 || enter(ring) < 0)
        Py_CLEAR(ring);
    return (PyObject *)ring;
}

static void ring_free(PyObject *self)
{
    Ring *ring = (Ring *)self;
    pthread_mutex_lock(&lock);
    if (ring->number < RINGS)
        rings[ring->number] = NULL;
    pthread_mutex_unlock(&lock);
    free_nodes(take_nodes(ring));
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef ring_methods[] = {
    {"put", ring_put, METH_O, "From any thread: put a call in its place among the events."},
    {"take", ring_take, METH_NOARGS, "All that waits, in order: events as tuples, and calls."},
    {"idle", ring_idle, METH_NOARGS, "Have the next one wake the loop; False if there is one already."},
    {"usr", ring_usr, METH_O, "What libca is to hand back for that key, below 2**40."},
    {NULL},
};

static PyGetSetDef ring_properties[] = {
    {"callback", ring_callback, NULL, "Address of the function that libca is to call.", NULL},
    {"merged", ring_merged, NULL, "Events dropped for a newer one of their key.", NULL},
    {NULL},
};

static PyTypeObject RingType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "pycaserver.sources._ring.Ring",
    .tp_basicsize = sizeof(Ring),
    .tp_dealloc = ring_free,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Ring(sizes, wake_fd, limit): sizes: DBR type to bytes before the elements and bytes of one; limit: bytes.",
    .tp_methods = ring_methods,
    .tp_getset = ring_properties,
    .tp_new = ring_new,
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_ring", .m_size = -1};

PyMODINIT_FUNC PyInit__ring(void)
{
    if (PyType_Ready(&BlockType) < 0)
        return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddType(made, &RingType) < 0)
        Py_CLEAR(made);
    return made;
}
