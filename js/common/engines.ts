/** Engines as people call them; `title` of their classes in workbench/deploy is the twin. */

const NAMES: Readonly<Record<string, string>> = {
  infinity: 'Infinity',
  lightllm: 'LightLLM',
  llama_cpp: 'llama.cpp',
  lmdeploy: 'LMDeploy',
  sensevoice: 'SenseVoice',
  sentence_transformers: 'sentence-transformers',
  sglang: 'SGLang',
  vllm: 'vLLM'
};

/** Such as `llama.cpp`; the engine's own name where it has no other. */
export const engineName = (engine: string): string => NAMES[engine] ?? engine;
