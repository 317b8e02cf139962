-- A file's passages bring the same words again and again: gathered and sorted in together they cost a third of what each alone
-- does. Every search reads what is not sorted in yet; the end of each file sorts it in.
ALTER INDEX context_chunks_search SET (fastupdate = on, gin_pending_list_limit = 4096);
