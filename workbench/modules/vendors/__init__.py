"""Modules of online models: a vendor's chats, vectors, rankings, sounds and pictures, and its fine-tuning."""
