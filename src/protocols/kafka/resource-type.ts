/** The kind of resource that a config belongs to (`ConfigResource.Type`). */
export const ResourceType = { topic: 2, broker: 4, group: 32 } as const;
