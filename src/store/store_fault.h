/*
 * store_fault.h - a store around another one that fails the N-th call, for tests: loop N upwards
 * until the operation under test succeeds, and check the invariants after each failure.
 *
 * Append, write, sync, cut, open, pread, remove, stat and each count as calls; closing never fails.
 * A write that is made to fail has written the first half of its bytes. Readers show no descriptor,
 * so that all reading passes here. Threads: safe.
 */
#ifndef BERTH_STORE_STORE_FAULT_H
#define BERTH_STORE_STORE_FAULT_H

#include "store/blobstore.h"

/* Takes inner, which is closed with it. Nothing fails until store_fault_set. */
struct blobstore *store_fault_new(struct blobstore *inner);
/* The countdown-th call from now (1: the next) fails with kind, once; 0: none does. */
void store_fault_set(struct blobstore *s, unsigned countdown, enum err_kind kind);
/* The call that was to fail has come. */
bool store_fault_is_spent(struct blobstore *s);

#endif
