"""Wire formats as pure codecs: a request becomes one HTTP request, lines of an answer become events. No input or output."""
