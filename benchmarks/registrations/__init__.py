"""Registrations in the shop while everything breaks: is anybody created twice in S/4HANA?"""
