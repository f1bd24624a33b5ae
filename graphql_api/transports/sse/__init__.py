"""GraphQL over Server-Sent Events, distinct connections mode.

https://github.com/enisdenny/graphql-sse/blob/master/PROTOCOL.md
"""
