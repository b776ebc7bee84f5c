"""Parse tables of grammars/keepalived, made by evener.text.lalr_tables: change the grammars, not this."""

# ruff: noqa: E501
# fmt: off
from typing import Any, Final

TABLES: Final[dict[str, dict[str, Any]]] = {
    'config': {'start': 0, 'end': 7, 'states': [{'END': 1, 'WORD': 2, '__leaf_star_0': 3, '_entry': 4, 'block': 5, 'leaf': 6, 'start': 7}, {'$END': -9, 'CLOSE': -9, 'END': -9, 'WORD': -9}, {'END': -3, 'OPEN': -3, 'WORD': -3}, {'END': 8, 'OPEN': 9, 'WORD': 10}, {'$END': -11}, {'$END': -5, 'CLOSE': -5, 'END': -5, 'WORD': -5}, {'$END': -6, 'CLOSE': -6, 'END': -6, 'WORD': -6}, {}, {'$END': -10, 'CLOSE': -10, 'END': -10, 'WORD': -10}, {'CLOSE': 11, 'END': 1, 'WORD': 2, '__block_star_1': 12, '__leaf_star_0': 3, '_entry': 13, 'block': 5, 'leaf': 6}, {'END': -4, 'OPEN': -4, 'WORD': -4}, {'$END': -7, 'CLOSE': -7, 'END': -7, 'WORD': -7}, {'CLOSE': 14, 'END': 1, 'WORD': 2, '__leaf_star_0': 3, '_entry': 15, 'block': 5, 'leaf': 6}, {'CLOSE': -2, 'END': -2, 'WORD': -2}, {'$END': -8, 'CLOSE': -8, 'END': -8, 'WORD': -8}, {'CLOSE': -1, 'END': -1, 'WORD': -1}], 'rules': [['__block_star_1', 2, [[0, 1], [1, 1]]], ['__block_star_1', 1, [[0, 1]]], ['__leaf_star_0', 1, [[0, 0]]], ['__leaf_star_0', 2, [[0, 1], [1, 0]]], ['_entry', 1, [[0, 0]]], ['_entry', 1, [[0, 0]]], ['block', 3, [[0, 1], [1, 0], [2, 0]]], ['block', 4, [[0, 1], [1, 0], [2, 1], [3, 0]]], ['leaf', 1, [[0, 0]]], ['leaf', 2, [[0, 1], [1, 0]]], ['start', 1, [[0, 1]]]], 'terminals': {}, 'expected': [[], [], [], [], [], [], [], [], [], [], [], [], [], [], [], []]},
    'network': {'start': 0, 'end': 2, 'states': [{'PART': 1, 'network': 2}, {'$END': -2, 'SLASH': 3}, {}, {'PART': 4}, {'$END': -1}], 'rules': [['network', 3, [[0, 0], [2, 0]]], ['network', 1, [[0, 0]]]], 'terminals': {'PART': '[^\\/\\s]+', 'SLASH': '/'}, 'expected': [['PART'], ['SLASH'], [], ['PART'], []]},
    'range': {'start': 0, 'end': 2, 'states': [{'PIECE': 1, 'range': 2}, {'$END': -2, 'MINUS': 3}, {}, {'PIECE': 4}, {'$END': -1}], 'rules': [['range', 3, [[0, 0], [2, 0]]], ['range', 1, [[0, 0]]]], 'terminals': {'PIECE': '[^\\-\\s]+', 'MINUS': '\\-'}, 'expected': [['PIECE'], ['MINUS'], [], ['PIECE'], []]},
}
