"""Models behind an OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, Ollama, or a hosted one."""
