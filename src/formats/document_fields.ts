/** Members of `meta` that name a document's domain: the Pile's and SlimPajama's, in the order in which they count. */
export const DOMAIN_FIELDS = ["pile_set_name", "redpajama_set_name"] as const;
