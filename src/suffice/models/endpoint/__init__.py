"""A model behind HTTP: any server that speaks OpenAI's completions or chat completions."""
