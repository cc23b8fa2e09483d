/* random.h - unpredictable bytes from OpenSSL's generator; aborts when there are none. Threads:
 * safe. */
#ifndef BERTH_CRYPT_RANDOM_H
#define BERTH_CRYPT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
void random_uuid(uint8_t out[16]); /* version 4 */
/* len characters of alphabet, evenly; no NUL. */
void random_text(char *out, size_t len, const char *alphabet);

#endif
