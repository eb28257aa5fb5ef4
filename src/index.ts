// What `import … from 'pillarbox'` gives: the embedded broker.
export * from './embedded/index.ts';
