/* The requests of a storm by libcurl's multi interface on epoll, and nothing else: `bare_curl URL-PREFIX ENDPOINTS COUNT`
   sends COUNT requests, 4 at once to each endpoint over connections that stand, and prints how many were answered and the
   CPU seconds they took. Standard input has the fields, one a line, an empty line and the body: those of a delivery. What
   the gateway's cost per delivery is held against. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static int set;
static long timeout = 0;

static size_t swallow(char *bytes, size_t size, size_t count, void *me) { return size * count; }

static int watch(CURL *easy, curl_socket_t socket, int what, void *me, void *known) {
    struct epoll_event event = {.data.fd = socket};
    if (what == CURL_POLL_REMOVE) return epoll_ctl(set, EPOLL_CTL_DEL, socket, &event), 0;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    if (epoll_ctl(set, EPOLL_CTL_MOD, socket, &event) < 0) epoll_ctl(set, EPOLL_CTL_ADD, socket, &event);
    return 0;
}

static int schedule(CURLM *multi, long milliseconds, void *me) {
    timeout = milliseconds;
    return 0;
}

static double seconds(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    int endpoints = atoi(argv[2]);
    long count = atol(argv[3]), begun = 0, done = 0, good = 0;
    static char line[8192], body[65536];
    struct curl_slist *fields = curl_slist_append(NULL, "Expect:");
    while (fgets(line, sizeof line, stdin) && line[0] != '\n') {
        line[strcspn(line, "\n")] = 0;
        fields = curl_slist_append(fields, line);
    }
    size_t size = fread(body, 1, sizeof body, stdin);
    curl_global_init(CURL_GLOBAL_ALL);
    set = epoll_create1(0);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)endpoints * 4);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, schedule);
    double before = seconds();
    int running = 0, slots = endpoints * 4;
    for (int slot = 0; slot < slots && begun < count; slot++, begun++) {
        CURL *easy = curl_easy_init();
        char url[200];
        snprintf(url, sizeof url, "%s%d", argv[1], slot / 4);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)size);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20000L);
        curl_multi_add_handle(multi, easy);
    }
    while (done < begun) {
        struct epoll_event events[64];
        int ready = epoll_wait(set, events, 64, timeout < 0 || timeout > 1000 ? 1000 : (int)timeout);
        if (ready <= 0) {
            timeout = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        for (int i = 0; i < ready; i++) {
            int mask = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                       (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, mask, &running);
        }
        int left;
        CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &left))) {
            CURL *easy = message->easy_handle;
            done++;
            if (message->data.result == CURLE_OK) good++;
            curl_multi_remove_handle(multi, easy);
            if (begun < count) {
                begun++;
                curl_multi_add_handle(multi, easy);
            } else {
                curl_easy_cleanup(easy);
            }
        }
    }
    printf("%ld %f\n", good, seconds() - before);
    return good == count ? 0 : 1;
}
