/* Targets with the very sequence of a query; see identical.py. */
#include <string.h>

#include "lookup.h"

enum { SAMPLED = 16 };
static const uint64_t MULTIPLIER = UINT64_C(6364136223846793005);

static uint64_t key_of(Sequence query)
{
    uint64_t key = (uint64_t)query.length;
    for (int64_t i = 0; i < SAMPLED; i++)
        key = key * MULTIPLIER + query.codes[i * (query.length - 1) / (SAMPLED - 1)];
    return key;
}

/* Find the targets with the sequence of a query, at least one residue; found (identical,),
 * ascending. Returns how many there are. */
int64_t find_identical(const Index *index, const Limits *limits, Sequence query,
                       const uint8_t *hidden, int32_t *found)
{
    uint64_t key = key_of(query);
    int64_t low = 0, high = index->size, number = 0;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (index->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->size && index->keys[low] == key && number < limits->identical; low++) {
        Sequence target = target_at(index, index->by_key[low]);
        if (target.length == query.length && !(hidden && hidden[index->by_key[low]]) &&
            !memcmp(target.codes, query.codes, (size_t)query.length))
            found[number++] = index->by_key[low];
    }
    return number;
}
