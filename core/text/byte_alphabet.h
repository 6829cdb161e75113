/* GPT-2's printable stand-ins for the 256 bytes (bytes_to_unicode in encoder.py, openai/gpt-2): the bytes
 * that print in Latin-1 stand for themselves, the others for U+0100 and up in order. Its order, the printable
 * bytes first, is also the order of the ids 0 to 255. All local.
 */
#ifndef GG_CORE_TEXT_BYTE_ALPHABET_H
#define GG_CORE_TEXT_BYTE_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The byte that is `index`-th (0 to 255) in the alphabet's order. */
unsigned char gg_alphabet_byte(size_t index);

/* Bytes as stand-ins in UTF-8: at most 2 bytes each. Returns the length written. */
size_t gg_alphabet_encode(const char *bytes, size_t length, char *text);

/* The reverse, at most as long as the text; false when a character of the text stands for no byte. */
bool gg_alphabet_decode(const char *text, size_t length, char *bytes, size_t *byte_count);

#endif
