// The system libraries that Millgate stands on, as one module, and shims for macros and inline functions that Swift
// does not import. The C library itself is Swift's own module `Glibc`: its headers with `_GNU_SOURCE` would clash with
// that here, so what needs it stands in shims.c. Nothing here decides anything: each shim is one call, or an
// instruction that Swift has no word for.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <curl/curl.h>
#include <jwt.h>
#include <nghttp2/nghttp2.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

/// Which of the 16 bytes at `bytes` are below 0x20 or are 0x7F: bit n for byte n.
static inline uint32_t csystem_controls(const void *bytes) {
#ifdef __SSE2__
    const __m128i x = _mm_loadu_si128((const __m128i *)bytes);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f))));
#else
    uint32_t found = 0;
    for (int i = 0; i < 16; i++) {
        const uint8_t byte = ((const uint8_t *)bytes)[i];
        found |= (uint32_t)(byte < 0x20 || byte == 0x7f) << i;
    }
    return found;
#endif
}

/// `SQLITE_TRANSIENT`: SQLite copies the bytes before the call returns.
sqlite3_destructor_type csystem_sqlite_transient(void);

/// `accept4` with `SOCK_NONBLOCK | SOCK_CLOEXEC`.
int csystem_accept(int listener, struct sockaddr *address, socklen_t *length);

/// `recv` and `send` (with `MSG_NOSIGNAL`) without what glibc does around them for `pthread_cancel`, which nobody calls
/// here: two atomic exchanges each, at four calls for a proxied request.
ssize_t csystem_receive(int socket, void *bytes, size_t count);
ssize_t csystem_send(int socket, const void *bytes, size_t count);

/// Names the calling thread; at most 15 bytes.
void csystem_name_thread(const char *name);

/// A pipe for `csystem_splice`: does not block, closes on exec.
int csystem_splice_pipe(int ends[2]);
/// Moves bytes from or to a pipe inside the kernel, as `splice` does.
ssize_t csystem_splice(int from, int to, size_t count);

/// Modes for non-blocking use: partial writes, a write buffer that may move between tries, buffers freed when idle, reads of
/// as much as there is.
void csystem_tls_set_modes(SSL_CTX *context);

/// No renegotiation, no compression, the server's order of ciphers, AES-128-GCM first; one ticket for a handshake
/// instead of two, each of which is encrypted and sent: who comes back uses one.
void csystem_tls_set_server_options(SSL_CTX *context);

/// The versions that may be negotiated, as in `TLS1_2_VERSION`.
int csystem_tls_set_versions(SSL_CTX *context, int lowest, int highest);

/// Server name, answer with a context of its own by `SSL_set_SSL_CTX`.
void csystem_tls_set_name_callback(SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument);

/// The name that a client asks for.
int csystem_tls_set_host_name(SSL *session, const char *name);

/// Adds an intermediate certificate, whose reference the context takes over.
int csystem_tls_add_chain_certificate(SSL_CTX *context, X509 *certificate);

/// An RSA public key from big-endian numbers, or NULL.
EVP_PKEY *csystem_rsa_public_key(const uint8_t *modulus, size_t modulus_count, const uint8_t *exponent,
                                 size_t exponent_count);

/// A checked EC public key from an encoded point, or NULL when the point is not on the curve.
EVP_PKEY *csystem_ec_public_key(const char *group, const uint8_t *point, size_t point_count);

/// An HMAC context keyed for one hash, or NULL.
EVP_MAC_CTX *csystem_hmac_new(const char *hash, const uint8_t *key, size_t key_count);

/// Writes a distinguished name as in RFC 2253; negative when it fails.
int csystem_print_name(BIO *output, const X509_NAME *name);

/// Options of a transfer by the type of their value; libcurl's own function takes any number of arguments of any type.
CURLcode csystem_curl_set_long(CURL *transfer, CURLoption option, long value);
CURLcode csystem_curl_set_text(CURL *transfer, CURLoption option, const char *value);
/// Bytes that libcurl copies: PEM text.
CURLcode csystem_curl_set_blob(CURL *transfer, CURLoption option, const uint8_t *bytes, size_t count);
/// A body that libcurl copies; its length is told first, so that it may hold zeros.
CURLcode csystem_curl_set_body(CURL *transfer, const uint8_t *bytes, size_t count);
CURLcode csystem_curl_set_fields(CURL *transfer, struct curl_slist *fields);
/// The callbacks for the answer's head, its body, and for making the socket, with their one argument.
CURLcode csystem_curl_set_callbacks(CURL *transfer, curl_write_callback head, curl_write_callback body,
                                    curl_opensocket_callback open, void *argument);
long csystem_curl_get_long(CURL *transfer, CURLINFO info);
/// Microseconds, for the infos that end in `_TIME_T`.
int64_t csystem_curl_get_time(CURL *transfer, CURLINFO info);
const char *csystem_curl_get_text(CURL *transfer, CURLINFO info);
CURLMcode csystem_curl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode csystem_curl_multi_set_callbacks(CURLM *multi, curl_socket_callback socket, curl_multi_timer_callback timer,
                                           void *argument);

/// From now on SIGTERM, SIGINT, SIGHUP and SIGUSR2 do nothing but being told by `csystem_signals_wait`, whichever thread
/// they reach; SIGPIPE is ignored. 0, or an errno.
int csystem_signals_catch(void);

/// Blocks until one of them comes; its number, or -1 when they are not caught.
int csystem_signals_wait(void);

/// `execve` with no signal blocked, whatever this thread blocks: the next program would never hear of them. Returns an
/// errno, and only when it fails.
int csystem_exec(const char *program, char *const *arguments, char *const *environment);

/// `posix_spawnp` with the standard streams at these files (null leaves the stream as it is here; the same path for
/// output and errors makes them one), in this directory, with no other descriptor, no signal blocked and none ignored.
/// 0, or the error's number.
int csystem_spawn(
    int *child, const char *program, char *const *arguments, char *const *environment, const char *input,
    const char *output, const char *errors, const char *directory);

#endif
