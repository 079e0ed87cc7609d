"""How the pocket model is made: practice chats, tokenizer, training, files. Run by an environment with torch, never by the kernel.

Nothing is imported here, so that the chats and the tasks can be had without torch.
"""
