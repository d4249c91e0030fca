"""Chat models: OpenAI, any compatible server, or the embedded one."""
