/* An OpenAI-compatible chat server that costs next to nothing, to measure clients against.
 *
 *     cc -O2 -o server server.c && ./server [--port 0] [--latency-ms 0] [--fail-rate 0]
 *
 * POST …/chat/completions   after the latency, one of "(a)", "(b)", "(c)": which one depends only on
 *                           the first message's text, so every client must count the same answers
 * GET  /stats               what was asked so far; "asked" is a sum of hashes of the questions, by
 *                           which two clients show that they asked the same
 * POST /reset               start counting anew
 *
 * --fail-rate R answers that share of the requests with 429 or 500, in turn. The port that was
 * chosen is printed. One thread, one epoll; no TLS, no chunked requests, no more of HTTP than
 * clients of a benchmark send.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  char *bytes;
  size_t used, room;
} Buffer;

typedef struct Connection {
  int socket;
  int waiting;    /* answers that are due later */
  int is_closed;  /* freed when nothing waits for it any more */
  Buffer in, out;
  size_t sent;
} Connection;

typedef struct {
  Connection *to;
  double due;
  char *bytes;
  size_t length;
} Answer;

static int poller;
static double latency_s, fail_rate;

/* The latency is the same for all, so answers fall due in the order they were made. */
static Answer *queue;
static size_t queue_first, queue_after, queue_room;

static struct {
  uint64_t requests, failed, connections, in_flight, most_in_flight, asked;
  double first_s, cpu_s;
} counted;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_s(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void *grown(void *memory, size_t bytes) {
  memory = realloc(memory, bytes);
  if (!memory) abort();
  return memory;
}

static void append(Buffer *buffer, const char *bytes, size_t length) {
  if (buffer->used + length > buffer->room) {
    buffer->room = 2 * (buffer->used + length);
    buffer->bytes = grown(buffer->bytes, buffer->room);
  }
  memcpy(buffer->bytes + buffer->used, bytes, length);
  buffer->used += length;
}

static void send_waiting(Connection *c) {
  while (c->sent < c->out.used) {
    ssize_t sent = send(c->socket, c->out.bytes + c->sent, c->out.used - c->sent, MSG_NOSIGNAL);
    if (sent <= 0) {
      struct epoll_event again = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
      epoll_ctl(poller, EPOLL_CTL_MOD, c->socket, &again);
      return;
    }
    c->sent += (size_t)sent;
  }
  c->sent = c->out.used = 0;
}

static void let_go(Connection *c) {
  if (!c->is_closed) {
    close(c->socket);
    c->is_closed = 1;
  }
  if (!c->waiting) {
    free(c->in.bytes);
    free(c->out.bytes);
    free(c);
  }
}

static void answer_later(Connection *c, const char *bytes, size_t length) {
  if (queue_after - queue_first == queue_room) {
    size_t room = queue_room ? 2 * queue_room : 1024, waiting = queue_room;
    Answer *larger = grown(NULL, room * sizeof *larger);
    for (size_t i = 0; i < waiting; i++) larger[i] = queue[(queue_first + i) % queue_room];
    free(queue);
    queue = larger, queue_room = room, queue_first = 0, queue_after = waiting;
  }
  char *copy = grown(NULL, length);
  memcpy(copy, bytes, length);
  queue[queue_after++ % queue_room] = (Answer){c, now_s() + latency_s, copy, length};
  c->waiting++;
  if (++counted.in_flight > counted.most_in_flight) counted.most_in_flight = counted.in_flight;
}

static void answer_what_is_due(void) {
  for (; queue_first < queue_after; queue_first++) {
    Answer *answer = &queue[queue_first % queue_room];
    if (answer->due > now_s()) return;
    Connection *c = answer->to;
    counted.in_flight--;
    c->waiting--;
    if (c->is_closed) {
      let_go(c);
    } else {
      append(&c->out, answer->bytes, answer->length);
      send_waiting(c);
    }
    free(answer->bytes);
  }
}

static int response(char *into, size_t room, const char *status, const char *body) {
  return snprintf(into, room,
                  "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  status, strlen(body), body);
}

/* FNV-1a of the first "content" string as it stands in the JSON. */
static uint64_t question_hash(const char *body, size_t length) {
  static const char key[] = "\"content\":";
  const char *end = body + length, *at = memmem(body, length, key, sizeof key - 1);
  uint64_t hash = 1469598103934665603u;
  if (at) at = memchr(at + sizeof key - 1, '"', (size_t)(end - at) - (sizeof key - 1));
  for (at = at ? at + 1 : end; at < end && *at != '"'; at++) {
    if (*at == '\\') hash = (hash ^ (unsigned char)*at++) * 1099511628211u;
    hash = (hash ^ (unsigned char)*at) * 1099511628211u;
  }
  return hash ^ (hash >> 32);
}

static int completion(char *into, size_t room, const char *body, size_t length) {
  uint64_t hash = question_hash(body, length);
  double failures = (double)counted.requests * fail_rate;
  if (!counted.requests++) counted.first_s = now_s();
  if ((uint64_t)(failures + fail_rate) != (uint64_t)failures) {
    const char *status = counted.failed++ % 2 ? "500 Internal Server Error" : "429 Too Many Requests";
    return response(into, room, status, "{\"error\":{\"message\":\"not now\",\"type\":\"benchmark\"}}");
  }
  counted.asked += hash;
  char text[768];
  snprintf(text, sizeof text,
           "{\"id\":\"chatcmpl-%016llx\",\"object\":\"chat.completion\",\"created\":1700000000,"
           "\"model\":\"benchmark\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
           "\"content\":\"(%c)\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
           "\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":3,\"total_tokens\":%zu},"
           "\"system_fingerprint\":\"fp_benchmark\"}",
           (unsigned long long)hash, "abc"[hash % 3], length / 4, length / 4 + 3);
  return response(into, room, "200 OK", text);
}

static int stats(char *into, size_t room) {
  char text[512];
  snprintf(text, sizeof text,
           "{\"requests\":%llu,\"failed\":%llu,\"connections\":%llu,\"most_in_flight\":%llu,"
           "\"asked\":\"%016llx\",\"first_s\":%.6f,\"cpu_s\":%.6f}",
           (unsigned long long)counted.requests, (unsigned long long)counted.failed,
           (unsigned long long)counted.connections, (unsigned long long)counted.most_in_flight,
           (unsigned long long)counted.asked, counted.first_s, cpu_s() - counted.cpu_s);
  return response(into, room, "200 OK", text);
}

static void answer(Connection *c, const char *head, size_t head_length, const char *body,
                   size_t body_length) {
  char bytes[2048];
  int length;
  const char *line_end = memchr(head, '\r', head_length);
  size_t line = line_end ? (size_t)(line_end - head) : head_length;
  if (memmem(head, line, "/chat/completions", 17)) {
    length = completion(bytes, sizeof bytes, body, body_length);
    if (latency_s > 0) {
      answer_later(c, bytes, (size_t)length);
      return;
    }
  } else if (memmem(head, line, "/stats", 6)) {
    length = stats(bytes, sizeof bytes);
  } else if (memmem(head, line, "/reset", 6)) {
    memset(&counted, 0, sizeof counted);
    counted.cpu_s = cpu_s();
    length = response(bytes, sizeof bytes, "200 OK", "{}");
  } else {
    length = response(bytes, sizeof bytes, "404 Not Found", "{\"error\":{\"message\":\"not found\"}}");
  }
  append(&c->out, bytes, (size_t)length);
}

static size_t content_length(const char *head, const char *end) {
  for (const char *line = head; line < end;) {
    if (!strncasecmp(line, "content-length:", 15)) return strtoul(line + 15, NULL, 10);
    const char *next = memchr(line, '\n', (size_t)(end - line));
    line = next ? next + 1 : end;
  }
  return 0;
}

/* Answers every whole request that has arrived; the rest stays for later. */
static void read_requests(Connection *c) {
  size_t done = 0;
  while (done < c->in.used) {
    char *head = c->in.bytes + done;
    char *end = memmem(head, c->in.used - done, "\r\n\r\n", 4);
    if (!end) break;
    size_t head_length = (size_t)(end - head) + 4, body_length = content_length(head, end);
    if (c->in.used - done < head_length + body_length) break;
    answer(c, head, head_length, head + head_length, body_length);
    done += head_length + body_length;
  }
  memmove(c->in.bytes, c->in.bytes + done, c->in.used - done);
  c->in.used -= done;
  send_waiting(c);
}

static void read_from(Connection *c) {
  char bytes[65536];
  ssize_t length;
  while ((length = recv(c->socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    append(&c->in, bytes, (size_t)length);
    if ((size_t)length < sizeof bytes) break;
  }
  if (length == 0 || (length < 0 && errno != EAGAIN)) {
    let_go(c);
  } else if (c->in.used) {
    read_requests(c);
  }
}

static void accept_from(int listener) {
  int found, yes = 1;
  while ((found = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    Connection *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->socket = found;
    setsockopt(found, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event reading = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, found, &reading);
    counted.connections++;
  }
}

static int listening(int port) {
  int yes = 1, found = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(found, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(found, (void *)&address, size) || listen(found, 4096)) {
    perror("listen");
    exit(1);
  }
  getsockname(found, (void *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return found;
}

int main(int count, char **argument) {
  int port = 0;
  for (int i = 1; i + 1 < count; i += 2) {
    if (!strcmp(argument[i], "--port")) port = atoi(argument[i + 1]);
    if (!strcmp(argument[i], "--latency-ms")) latency_s = atof(argument[i + 1]) / 1000;
    if (!strcmp(argument[i], "--fail-rate")) fail_rate = atof(argument[i + 1]);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* gone when the benchmark is */
  poller = epoll_create1(0);
  int listener = listening(port);
  struct epoll_event accepting = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepting);
  for (;;) {
    struct epoll_event events[256];
    int wait_ms = -1;
    if (queue_first < queue_after) {
      double left_s = queue[queue_first % queue_room].due - now_s();
      wait_ms = left_s > 0 ? (int)(left_s * 1000) + 1 : 0;
    }
    int ready = epoll_wait(poller, events, 256, wait_ms);
    answer_what_is_due();
    for (int i = 0; i < ready; i++) {
      Connection *c = events[i].data.ptr;
      if (!c) {
        accept_from(listener);
      } else if (events[i].events & EPOLLOUT) {
        struct epoll_event reading = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->socket, &reading);
        send_waiting(c);
      } else {
        read_from(c);
      }
    }
  }
}
