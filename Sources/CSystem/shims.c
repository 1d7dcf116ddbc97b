#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

sqlite3_destructor_type csystem_sqlite_transient(void) { return SQLITE_TRANSIENT; }

int csystem_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t csystem_receive(int socket, void *bytes, size_t count) {
    return syscall(SYS_recvfrom, socket, bytes, count, 0, NULL, NULL);
}

ssize_t csystem_send(int socket, const void *bytes, size_t count) {
    return syscall(SYS_sendto, socket, bytes, count, MSG_NOSIGNAL, NULL, 0);
}

// Also keeps this thread from SIGPIPE: `splice` has no flag for that.
int csystem_splice_pipe(int ends[2]) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    // Room for small segments too, one to a page. Without the right to it the usual 16 pages do.
    (void)fcntl(ends[0], F_SETPIPE_SZ, 64 * 4096);
    return 0;
}

ssize_t csystem_splice(int from, int to, size_t count) {
    return splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

void csystem_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void csystem_tls_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
}

int csystem_tls_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 && SSL_CTX_set_max_proto_version(context, highest) == 1;
}

void csystem_tls_set_name_callback(SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

int csystem_tls_set_host_name(SSL *session, const char *name) { return (int)SSL_set_tlsext_host_name(session, name); }

int csystem_tls_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

void csystem_tls_set_server_options(SSL_CTX *context) {
    SSL_CTX_set_num_tickets(context, 1);
    // 128 bits first, as in the list for TLS 1.2: the keys of a handshake are derived by many hashes, and processors have
    // instructions for SHA-256, not for SHA-384.
    SSL_CTX_set_ciphersuites(context,
                             "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
}
