/* The table of a query's seeds; see seeds.py. */
#include "lookup.h"

/* Add an entry for each seed of a query. */
int add_seeds(const Index *index, const Limits *limits, SeedTable *table, Sequence query)
{
    for (int64_t position = 0; position + SPAN <= query.length; position++) {
        int32_t seed = seed_at(query.codes + position, index->letters);
        if (seed >= 0 && add_entry(limits, table, seed, position, limits->seed_score))
            return -1;
    }
    finish_table(table);
    return 0;
}

/* Order the entries by seed. */
void finish_table(SeedTable *table)
{
    int32_t different = 0, first = 0;
    for (int32_t word = 0; word <= SEEDS / 64; word++) {
        table->before[word] = different;
        for (uint64_t bits = table->marked[word]; bits; bits &= bits - 1) {
            int32_t seed = 64 * word + __builtin_ctzll(bits);
            table->seeds[different] = seed;
            table->firsts[different++] = first;
            first += table->counts[seed];
            table->counts[seed] = first;
        }
    }
    if (different)
        table->firsts[different] = first;
    table->different = different;
    /* Counts say now where the matches of each seed end: the last ones go there first. */
    for (int64_t i = table->number - 1; i >= 0; i--) {
        Entry entry = table->entries[i];
        table->matches[--table->counts[entry.seed]] = (Match){entry.position, entry.score};
    }
    for (int32_t i = 0; i < different; i++)
        table->counts[table->seeds[i]] = 0;
}

/* Take all entries away. */
void clear_table(SeedTable *table)
{
    for (int64_t i = 0; i < table->number; i++)
        table->marked[table->entries[i].seed / 64] = 0;
    table->number = table->different = 0;
}
