"""The live views of a notebook: monitor, chat, evaluation table, machine and model card. Each is a Python file here and a
TypeScript file of the same name in ``js/widgets``; the registry group ``view`` names them.
"""
