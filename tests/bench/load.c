/* Load for the benchmarks: closed-loop HTTP/1 clients and the origin behind the proxy, in one
 * single-threaded epoll process, so that the proxy under test is what limits the run.
 *
 *   load PROXY_PORT ORIGIN_PORT CONNECTIONS REQUESTS BODY_BYTES MODE [HEADER...]
 *
 * MODE is "keep" (keep-alive) or "close" (one connection per request); "keep@RATE" starts so many requests a
 * second, each at its time, and counts latency from then on even when no client was free. Stops after REQUESTS
 * responses (bounded also by 60 s) and prints one line:
 *   requests=N errors=N seconds=S p50_us=U p99_us=U
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { LISTENER, CLIENT, ORIGIN };

struct peer {
    enum kind kind;
    int fd, connected, in_body;
    size_t have;        /* bytes of a head collected in buffer */
    long left;          /* body bytes still to come */
    const char *out;    /* origin: what remains to be sent */
    size_t out_left;
    double began;
    char buffer[16384];
};

static int poller, proxy_port, origin_port, close_mode;
static long wanted, done, errors, samples, started;
static double rate, epoch; /* paced: requests a second, and since when */
static struct peer **idle;
static int idle_count;
static char request[8192], *response;
static size_t request_len, response_len;
static float *latency;
static char sink[1 << 18];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void watch(struct peer *p) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p};
    epoll_ctl(poller, EPOLL_CTL_ADD, p->fd, &e);
}

static int tcp_socket(void) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void client_open(struct peer *p) {
    struct sockaddr_in a = loopback(proxy_port);
    p->fd = tcp_socket();
    p->connected = p->in_body = 0;
    p->have = 0;
    if (close_mode) { /* do not run out of ports */
        struct linger l = {1, 0};
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    }
    if (connect(p->fd, (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS) {
        perror("connect");
        exit(1);
    }
    watch(p);
}

static void client_send(struct peer *p) {
    p->have = 0;
    p->in_body = 0;
    p->began = now();
    if (send(p->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) errors++;
}

/* Paced: the requests whose time has come, as far as there are clients for them. */
static void start_due(void) {
    while (idle_count && started < wanted && epoch + started / rate <= now()) {
        struct peer *p = idle[--idle_count];
        double due = epoch + started++ / rate;
        client_send(p);
        p->began = due;
    }
}

static void client_ready(struct peer *p) {
    if (rate) idle[idle_count++] = p;
    else client_send(p);
}

static void not_idle(struct peer *p) {
    for (int i = 0; i < idle_count; i++)
        if (idle[i] == p) {
            idle[i] = idle[--idle_count];
            return;
        }
}

static void client_again(struct peer *p, int failed) {
    if (failed) {
        errors++;
        not_idle(p);
    }
    if (failed || close_mode) {
        close(p->fd);
        p->fd = -1;
        if (done < wanted) client_open(p);
    } else if (done < wanted) {
        client_ready(p);
    }
}

static void client_done(struct peer *p) {
    if (samples < wanted) latency[samples++] = (now() - p->began) * 1e6;
    done++;
    client_again(p, 0);
}

/* Returns 1 when a whole response was read. */
static int client_head(struct peer *p, size_t got) {
    p->have += got;
    char *end = memmem(p->buffer, p->have, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(p->buffer + 9, "200", 3)) errors++;
    *end = 0;
    char *length = strcasestr(p->buffer, "content-length:");
    p->left = (length ? atol(length + 15) : 0) - (long)(p->have - (end + 4 - p->buffer));
    p->in_body = 1;
    return p->left <= 0;
}

static void client_read(struct peer *p) {
    for (;;) {
        char *to = p->in_body ? sink : p->buffer + p->have;
        size_t room = p->in_body ? sizeof sink : sizeof p->buffer - p->have;
        ssize_t n = recv(p->fd, to, room, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            client_again(p, 1);
            return;
        }
        int whole = p->in_body ? (p->left -= n) <= 0 : client_head(p, n);
        if (whole) {
            client_done(p);
            return;
        }
        if ((size_t)n < room) return;
    }
}

static int origin_flush(struct peer *p) {
    while (p->out_left) {
        ssize_t n = send(p->fd, p->out, p->out_left, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        p->out += n;
        p->out_left -= n;
    }
    return 1;
}

/* Answers every request head; returns -1 when the connection is over. */
static int origin_work(struct peer *p) {
    if (p->out_left && origin_flush(p) <= 0) return p->out_left ? 0 : -1;
    for (;;) {
        size_t room = sizeof p->buffer - p->have;
        ssize_t n = recv(p->fd, p->buffer + p->have, room, 0);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        if (n == 0) return -1;
        p->have += n;
        char *end;
        while ((end = memmem(p->buffer, p->have, "\r\n\r\n", 4))) {
            size_t used = end + 4 - p->buffer;
            memmove(p->buffer, end + 4, p->have -= used);
            p->out = response;
            p->out_left = response_len;
            int state = origin_flush(p);
            if (state <= 0) return state;
        }
        if ((size_t)n < room) return 0;
    }
}

static void origin_accept(struct peer *listener) {
    int fd;
    while ((fd = accept4(listener->fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct peer *p = calloc(1, sizeof *p);
        p->kind = ORIGIN;
        p->fd = fd;
        watch(p);
    }
}

static void handle(struct peer *p, unsigned events) {
    if (p->kind == LISTENER) {
        origin_accept(p);
    } else if (p->kind == ORIGIN) {
        if (origin_work(p) < 0 || (events & (EPOLLERR | EPOLLHUP))) {
            close(p->fd);
            free(p);
        }
    } else if (p->fd >= 0) {
        if (!p->connected && (events & EPOLLOUT)) {
            p->connected = 1;
            client_ready(p);
        }
        if (events & EPOLLIN) client_read(p);
        else if (events & (EPOLLERR | EPOLLHUP)) client_again(p, 1);
    }
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void prepare(int argc, char **argv, long body) {
    request_len = snprintf(request, sizeof request, "GET /api/thing?x=1 HTTP/1.1\r\nHost: example.org\r\n");
    for (int i = 7; i < argc; i++)
        request_len += snprintf(request + request_len, sizeof request - request_len, "%s\r\n", argv[i]);
    request_len += snprintf(request + request_len, sizeof request - request_len, "%s\r\n",
                            close_mode ? "Connection: close\r\n" : "");
    response = malloc(body + 512);
    int head = sprintf(response, "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: %ld\r\n\r\n", body);
    memset(response + head, 'x', body);
    response_len = head + body;
}

int main(int argc, char **argv) {
    if (argc < 7) return 2;
    proxy_port = atoi(argv[1]);
    origin_port = atoi(argv[2]);
    int clients = atoi(argv[3]);
    wanted = atol(argv[4]);
    close_mode = !strcmp(argv[6], "close");
    if (!strncmp(argv[6], "keep@", 5)) rate = atof(argv[6] + 5);
    signal(SIGPIPE, SIG_IGN);
    latency = malloc(wanted * sizeof *latency);
    prepare(argc, argv, atol(argv[5]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    static struct peer listener = {.kind = LISTENER};
    int one = 1;
    struct sockaddr_in a = loopback(origin_port);
    listener.fd = tcp_socket();
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener.fd, (struct sockaddr *)&a, sizeof a) || listen(listener.fd, 4096)) {
        perror("origin");
        return 1;
    }
    watch(&listener);
    struct peer *peers = calloc(clients, sizeof *peers);
    idle = calloc(clients, sizeof *idle);
    for (int i = 0; i < clients; i++) {
        peers[i].kind = CLIENT;
        client_open(&peers[i]);
    }
    struct epoll_event events[256];
    double began = now(), limit = began + 60;
    epoch = began + 0.1; /* when all are connected */
    while (done < wanted && now() < limit) {
        struct timespec pause = {.tv_nsec = 100000000};
        if (rate && idle_count && started < wanted) {
            double left = epoch + started / rate - now();
            if (left < 0.1) pause.tv_nsec = left > 0 ? left * 1e9 : 0;
        }
        int n = epoll_pwait2(poller, events, 256, &pause, 0);
        for (int i = 0; i < n; i++) handle(events[i].data.ptr, events[i].events);
        if (rate) start_due();
    }
    double seconds = now() - began;
    qsort(latency, samples, sizeof *latency, ascending);
    printf("requests=%ld errors=%ld seconds=%.3f p50_us=%.0f p99_us=%.0f\n", done, errors, seconds,
           samples ? latency[samples / 2] : 0, samples ? latency[samples * 99 / 100] : 0);
    return 0;
}
