// libcurl's setters and getters take any argument; these take one type each.
#include "CSystem.h"

CURLcode csystem_curl_set_long(CURL *transfer, CURLoption option, long value) {
    return curl_easy_setopt(transfer, option, value);
}

CURLcode csystem_curl_set_text(CURL *transfer, CURLoption option, const char *value) {
    return curl_easy_setopt(transfer, option, value);
}

CURLcode csystem_curl_set_blob(CURL *transfer, CURLoption option, const uint8_t *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(transfer, option, &blob);
}

CURLcode csystem_curl_set_body(CURL *transfer, const uint8_t *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(transfer, CURLOPT_POST, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_COPYPOSTFIELDS, count > 0 ? (const char *)bytes : "");
    return code;
}

CURLcode csystem_curl_set_fields(CURL *transfer, struct curl_slist *fields) {
    return curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, fields);
}

CURLcode csystem_curl_set_callbacks(CURL *transfer, curl_write_callback head, curl_write_callback body,
                                    curl_opensocket_callback open, void *argument) {
    CURLcode code = curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, head);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_HEADERDATA, argument);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, body);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_WRITEDATA, argument);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, open);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_OPENSOCKETDATA, argument);
    return code;
}

long csystem_curl_get_long(CURL *transfer, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(transfer, info, &value) == CURLE_OK ? value : 0;
}

int64_t csystem_curl_get_time(CURL *transfer, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(transfer, info, &value) == CURLE_OK ? value : 0;
}

const char *csystem_curl_get_text(CURL *transfer, CURLINFO info) {
    char *value = NULL;
    return curl_easy_getinfo(transfer, info, &value) == CURLE_OK ? value : NULL;
}

CURLMcode csystem_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

CURLMcode csystem_curl_multi_set_callbacks(CURLM *multi, curl_socket_callback socket, curl_multi_timer_callback timer,
                                           void *argument) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, argument);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, argument);
    return code;
}
